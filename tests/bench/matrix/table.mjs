// The matrix as a Markdown table, and the words of its cells below it.
import fs from 'node:fs';
import {SCENARIOS} from './scenarios.mjs';

const TREATMENTS = [['nothing', 'as published'], ['sed', 'the copied `sed` script'], ['sed-moved', '`sed`, at the right line'], ['ghostfix', '`ghostfix patch`']];
const START = '<!-- matrix: begin, written by `make e2e-full` -->';
const END = '<!-- matrix: end -->';

export function markdown(results) {
    const notes = [];
    // The same words stand once, whatever numbers are in them.
    const note = (words) => {
        const key = words.replace(/\d+(\.\d+)? s\b/g, 'N s').replace(/transaction \d+/g, 'transaction N').replace(/20\d\d-\S+ \S+ UTC/g, 'T');
        let at = notes.findIndex((n) => n.key === key);
        if (at < 0) at = notes.push({key, words}) - 1;
        return at + 1;
    };
    const columns = TREATMENTS.filter(([id]) => results.some((r) => r.treatment === id));
    const rows = [];
    for (const scenario of Object.keys(SCENARIOS)) {
        for (const version of [...new Set(results.filter((r) => r.scenario === scenario).map((r) => r.version))]) {
            const cells = columns.map(([treatment]) => {
                const r = results.find((c) => c.scenario === scenario && c.version === version && c.treatment === treatment);
                if (!r) return '';
                if (r.booted) return r.boots?.length === 1 ? `boots, ${Math.round(r.boots[0].seconds)} s` : `boots [${note(r.words)}]`;
                return `${r.refused ? 'refused' : 'dies'} [${note(r.words)}]`;
            });
            rows.push(`| ${SCENARIOS[scenario].title} | ${version} | ${cells.join(' | ')} |`);
        }
    }
    return [
        `| state of the database | Ghost | ${columns.map(([, title]) => title).join(' | ')} |`,
        `| --- | --- | ${columns.map(() => '---').join(' | ')} |`,
        ...rows, '',
        ...notes.map((n, i) => `${i + 1}. ${code(n.words)}`), '',
    ].join('\n');
}

// Words of servers are shown as they are: as code, with a fence that they do not contain.
function code(words) {
    const runs = words.match(/`+/g)?.map((r) => r.length) ?? [0];
    const fence = '`'.repeat(Math.max(...runs) + 1);
    return `${fence} ${words} ${fence}`;
}

export function writeBetweenMarkers(file, table) {
    const text = fs.readFileSync(file, 'utf8');
    const [a, b] = [text.indexOf(START), text.indexOf(END)];
    if (a < 0 || b < a) throw new Error(`${file} has no line ${START} and ${END}`);
    fs.writeFileSync(file, `${text.slice(0, a + START.length)}\n\n${table}\n${text.slice(b)}`);
}
