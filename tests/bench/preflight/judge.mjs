// Holds what preflight found against what it had to find, and against what Ghost did.

export const LEVELS = ['unknown', 'warning', 'error'];

export const startsBy = (report) =>
    !report.findings.some((finding) => finding.level === 'error' && finding.effect === 'does-not-start');

// What is not fine, by check.
export const found = (report) => Object.fromEntries(report.findings
    .filter((finding) => LEVELS.includes(finding.level)).map(({id, level}) => [id, level]));

export const isHealthy = (state) => Object.keys(state.expected).length === 0 && state.starts === true;

const WITHIN_SECONDS = 20;

export function compare(state, report) {
    const {'*': others, ...expected} = state.expected;
    const is = found(report);
    const right = [], missed = [], alarms = [];
    for (const [id, level] of Object.entries(expected)) {
        if (is[id] === level) right.push(id);
        else missed.push(`${id} ${level} (is ${is[id] ?? 'fine'})`);
    }
    for (const [id, level] of Object.entries(is)) {
        if (!(id in expected) && level !== others) alarms.push(`${id} ${level}`);
    }
    const says = startsBy(report);
    if (state.starts !== null && says !== state.starts) {
        (says ? missed : alarms).push(`says that Ghost ${says ? 'starts' : 'does not start'}`);
    }
    const within = state.within ?? WITHIN_SECONDS;
    if (report.ms > within * 1000) missed.push(`an end within ${within} s`);
    if (isHealthy(state) && !missed.length && !alarms.length) right.push('healthy');
    return {right, missed, alarms};
}
