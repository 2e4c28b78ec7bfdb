// What came of the states: kept in a file, so that some can be run again by themselves, and summed up.
import fs from 'node:fs';
import path from 'node:path';
import {BENCH} from '../servers/processes.mjs';
import {isHealthy} from './judge.mjs';

const file = () => path.join(BENCH, 'preflight/states.json');

// The last result of each of these states, in their order, with those of this run.
export function keep(results, states) {
    const all = new Map();
    if (fs.existsSync(file())) for (const result of JSON.parse(fs.readFileSync(file(), 'utf8'))) all.set(result.name, result);
    for (const result of results) all.set(result.name, result);
    fs.mkdirSync(path.dirname(file()), {recursive: true});
    const kept = states.map(({name}) => all.get(name)).filter(Boolean);
    fs.writeFileSync(file(), JSON.stringify(kept, null, 1));
    return kept;
}

const duration = (ms) => (ms < 300_000 ? `${Math.round(ms / 1000)} s` : `${Math.round(ms / 60_000)} minutes`);

export const isGood = ({missed, alarms, written, disagrees}) => missed.length + alarms.length === 0 && !written && !disagrees;

export function sum(results, states) {
    const total = (number) => results.reduce((n, result) => n + Number(number(result)), 0);
    const healthy = results.filter(({name}) => isHealthy(states.find((state) => state.name === name)));
    // How long it takes is told of sound networks.
    const sound = healthy.filter(({name}) => states.some((state) => state.name === name && !state.fault && !state.rtt));
    const booted = results.filter((result) => result.booted);
    const disagree = total((result) => result.disagrees);
    return `${results.length} states (${healthy.length} healthy): ${total((r) => r.right.length)} right, ${total((r) => r.missed.length)} missed, ${
        total((r) => r.alarms.length)} false alarms; ${total((r) => Boolean(r.written))} written to. Healthy: at most ${
        Math.max(0, ...healthy.map((r) => r.statements))} statements, ${Math.max(0, ...sound.map((r) => r.ms))} ms.
Ghost was booted in ${booted.length}: ${booted.length - disagree} times as preflight said, ${disagree} times otherwise. ${
        duration(total((r) => r.took))} in all.`;
}
