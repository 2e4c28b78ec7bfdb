// Life after the boot: everything a small site does with its Ghost, through Ghost's
// own HTTP APIs. `liveWithGhost` runs the steps and reports what happened; it judges
// nothing but "the answer is what it should be".
import crypto from 'node:crypto';
import { Record, Skip } from './client.mjs';
import { openLog, readErrors } from './log.mjs';
import * as content from './steps/content.mjs';
import * as members from './steps/members.mjs';
import * as comments from './steps/comments.mjs';
import * as publishing from './steps/publishing.mjs';
import * as site from './steps/site.mjs';
import * as screens from './steps/screens.mjs';
import * as database from './steps/database.mjs';

export { setUpOwner, login, signOutAllUsers, regainAccess, waitForSite } from './session.mjs';
export { startSmtp } from './smtp.mjs';

/** What the environment of a Ghost should say, so that it asks nobody outside and lives without a sharp. */
export const GHOST_ENVIRONMENT = {
    privacy__useUpdateCheck: 'false',
    privacy__useRpcPing: 'false',
    privacy__useGravatar: 'false',
    imageOptimization__resize: 'false',
    security__allowWebhookInternalIPs: 'true',
};

// The order is the order of a life: what is made first is used, and deleted, later.
export const STEPS = [
    ...content.making,
    ...members.making,
    ...comments.steps,
    ...publishing.steps,
    ...site.steps,
    ...screens.steps,
    ...members.ending,
    ...content.ending,
    ...database.steps,
];

const QUIET_MS = 3_000; // what Ghost does after the answer is logged later

/**
 * Runs the life. `only` (a RegExp) selects steps by name, and what they need.
 * Answers {steps, serverErrors, refused, logErrors, unreachable, known, absent, requests, ok}. A step is
 * {name, ok, status, ms, error?, skipped?}: `skipped` is the reason why this Ghost cannot do it
 * (ok is true then), `error` why it failed; `status` is that of the owner's last answer.
 * `unreachable` and `known` are log errors that no database caused, `absent` paths this Ghost does not have.
 */
export async function liveWithGhost(baseUrl, { session, smtp, log, only, onStep = () => {} }) {
    const record = new Record();
    session.client.record = record;
    const life = {
        ...session,
        baseUrl,
        smtp,
        record,
        // Names of this run: a Ghost may live more than once.
        tag: crypto.randomBytes(3).toString('hex'),
        made: {},
        absent: [],
    };
    life.session = session;
    const reading = openLog(log);
    const steps = [];
    const failed = new Set();
    for (const step of selected(only)) {
        const result = await runStep(step, life, failed);
        if (!result.ok || result.skipped) failed.add(step.name);
        steps.push(result);
        onStep(result);
    }
    if (log) await new Promise((resolve) => setTimeout(resolve, QUIET_MS));
    const { errors, unreachable, known } = readErrors(reading, record);
    return {
        ok: steps.every((s) => s.ok) && record.serverErrors.length === 0 && errors.length === 0,
        ghost: session.version.text,
        steps,
        serverErrors: record.serverErrors,
        refused: record.refused,
        logErrors: errors,
        unreachable,
        known,
        absent: life.absent,
        requests: record.requests,
    };
}

function selected(only) {
    if (!only) return STEPS;
    const wanted = new Set();
    const want = (step) => {
        if (wanted.has(step)) return;
        wanted.add(step);
        for (const name of step.needs ?? []) want(STEPS.find((s) => s.name === name));
    };
    for (const step of STEPS) if (only.test(step.name)) want(step);
    return STEPS.filter((step) => wanted.has(step));
}

async function runStep(step, life, failed) {
    const begin = Date.now();
    const result = { name: step.name, ok: true, status: null, ms: 0 };
    const missing = (step.needs ?? []).filter((name) => failed.has(name));
    life.record.step = step.name;
    life.client.lastStatus = null;
    try {
        if (step.since && !life.version.atLeast(...step.since)) {
            result.skipped = `needs Ghost ${step.since.join('.')}, this is ${life.version.text}`;
        } else if (missing.length > 0) {
            throw new Error(`needs "${missing[0]}", which did not succeed`);
        } else {
            await step.run(life);
        }
    } catch (error) {
        if (error instanceof Skip) result.skipped = error.message;
        else {
            result.ok = false;
            result.error = error.message;
        }
        if (error.status !== undefined) life.client.lastStatus = error.status;
    }
    result.status = life.client.lastStatus;
    result.ms = Date.now() - begin;
    life.record.step = null;
    return result;
}
