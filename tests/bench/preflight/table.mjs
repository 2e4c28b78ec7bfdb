// The states as a Markdown table: what preflight found in each, and what Ghost did.
import {mask} from '../rows.mjs';
import {isGood} from './results.mjs';

export function markdown(results) {
    const rows = results.map((result) => {
        const {name, found, booted, unbootable} = result;
        const finds = Object.entries(found).map(([id, level]) => `\`${id}\` ${level}`).join(', ') || 'nothing';
        return `| ${name} | ${finds}${isGood(result) ? '' : ' **(wrong)**'} | ${unbootable ?? did(booted)} |`;
    });
    return ['| state | preflight finds | Ghost 6.65.0 |', '| --- | --- | --- |', ...rows, ''].join('\n');
}

function did(booted) {
    if (!booted) return 'not booted';
    if (booted.up) return 'starts';
    return `does not start: ${code(booted.words)}`;
}

// In a cell of a table a bar would end it, and a line's end the row.
function code(words) {
    const masked = mask(words).replace(/\s+/g, ' ').replaceAll('|', '/').slice(0, 110).trim();
    const fence = masked.includes('`') ? '``' : '`';
    return `${fence} ${masked} ${fence}`;
}
