// The matrix as a Markdown table, and the words of its cells below it.
import fs from 'node:fs';
import {SCENARIOS} from './scenarios.mjs';

const TREATMENTS = [['nothing', 'as published'], ['sed', 'the copied `sed` script'], ['sed-moved', '`sed`, at the right line'], ['ghostfix', '`ghostfix patch`']];

export function markdown(results) {
    const notes = [];
    // The same words stand once, whatever numbers are in them.
    const note = (words) => {
        const key = words.replace(/\d+(\.\d+)? s\b/g, 'N s').replace(/transaction \d+/g, 'transaction N').replace(/20\d\d-\S+ \S+ UTC/g, 'T')
            .replace(/'[0-9a-f]{24}'/g, 'ID').replace(/Cycle exists between \[.*?\]/g, 'CYCLE')
            // Which columns the statement names, and what Ghost calls the error, differs between versions.
            .replace(/(errno \d+)( \w+)?: (insert into|alter table) (`\w+`).*? - /g, '$1: $3 $4 - ');
        let at = notes.findIndex((n) => n.key === key);
        if (at < 0) at = notes.push({key, words}) - 1;
        return at + 1;
    };
    const columns = TREATMENTS.filter(([id]) => results.some((r) => r.treatment === id));
    const rows = [];
    for (const scenario of Object.keys(SCENARIOS)) {
        for (const version of [...new Set(inOrder(results).filter((r) => r.scenario === scenario).map((r) => r.version))]) {
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
        ...notes.map((n, i) => `${i + 1}. ${code(brief(n.words))}`), '',
    ].join('\n');
}

// vttablet adds who asked and the statement once more.
const brief = (words) => words.replace(/ \(errno \d+\) \(sqlstate \w+\) \(CallerID: \w+\): Sql: .*?BindVars: \{.*?\}/g, '')
    .replace(/target: [\w.]+: vttablet: rpc error: code = \w+ desc = /g, '');

// Words of servers are shown as they are: as code, with a fence that they do not contain.
function code(words) {
    const runs = words.match(/`+/g)?.map((r) => r.length) ?? [0];
    const fence = '`'.repeat(Math.max(...runs) + 1);
    return `${fence} ${words} ${fence}`;
}

// What booting cost, where it was one boot that came up.
export function costs(results) {
    const rows = [];
    for (const r of inOrder(results)) {
        const [boot, ...more] = r.boots ?? [];
        if (!r.booted || !boot?.statements || more.length) continue;
        const title = TREATMENTS.find(([id]) => id === r.treatment)[1];
        rows.push(`| ${SCENARIOS[r.scenario].title} | ${r.version} | ${title} | ${Math.round(boot.seconds)} s | ${boot.statements} | ${
            (boot.longestTransactionMs / 1000).toFixed(1)} s, ${boot.longestTransactionStatements} statements |`);
    }
    return ['| state of the database | Ghost | | boots in | statements | longest transaction |',
        '| --- | --- | --- | ---: | ---: | ---: |', ...rows, ''].join('\n');
}
function inOrder(results) {
    const at = (list, id) => list.indexOf(id);
    const [scenarios, treatments] = [Object.keys(SCENARIOS), TREATMENTS.map(([id]) => id)];
    return results.toSorted((a, b) => at(scenarios, a.scenario) - at(scenarios, b.scenario)
        || b.version.localeCompare(a.version, 'en', {numeric: true}) || at(treatments, a.treatment) - at(treatments, b.treatment));
}

// Into every part of the file that is marked for it.
export function writeBetweenMarkers(file, parts, by = 'make e2e-full') {
    let text = fs.readFileSync(file, 'utf8');
    let found = false;
    for (const [name, table] of Object.entries(parts)) {
        const [start, end] = [`<!-- ${name}: begin, written by \`${by}\` -->`, `<!-- ${name}: end -->`];
        const [a, b] = [text.indexOf(start), text.indexOf(end)];
        if (a < 0 || b < a) continue;
        found = true;
        text = `${text.slice(0, a + start.length)}\n\n${table}\n${text.slice(b)}`;
    }
    if (!found) throw new Error(`${file} has no part that is marked for ${Object.keys(parts).join(' or ')}`);
    fs.writeFileSync(file, text);
}
