// The life by hand: node run.mjs URL SMTP_PORT [LOG_FILE_OR_DIRECTORY] [STEP_REGEXP]
// SMTP_PORT is where Ghost was told to deliver; the receiver listens there meanwhile.
import { liveWithGhost, login, setUpOwner, startSmtp } from './index.mjs';
import { Client } from './client.mjs';
import { ADMIN, waitForSite } from './session.mjs';

const [url, port, log, only] = process.argv.slice(2);
if (!url || !/^\d+$/.test(port ?? '')) {
    console.error('usage: node run.mjs URL SMTP_PORT [LOG_FILE_OR_DIRECTORY] [STEP_REGEXP]');
    process.exit(64);
}
const smtp = await startSmtp(Number(port));
try {
    await waitForSite(url);
    const { json } = await new Client(url).get(`${ADMIN}/authentication/setup/`);
    const session = await (json.setup[0].status ? login : setUpOwner)(url, { smtp });
    console.log(`Ghost ${session.version.text}, owner logged in by ${session.loggedInBy}`);
    const life = await liveWithGhost(url, {
        session,
        smtp,
        log: log || undefined,
        only: only && new RegExp(only),
        onStep: ({ name, ok, status, ms, error, skipped }) =>
            console.log(
                `${skipped ? 'skip' : ok ? 'ok  ' : 'FAIL'} ${String(ms).padStart(6)} ms ${status ?? '---'} ${name}` +
                    (error ?? skipped ? `: ${error ?? skipped}` : ''),
            ),
    });
    for (const list of ['serverErrors', 'refused', 'logErrors', 'unreachable', 'known', 'absent']) {
        for (const entry of life[list]) console.log(`${list}: ${JSON.stringify(entry)}`);
    }
    const count = (test) => life.steps.filter(test).length;
    console.log(
        `${count((s) => s.ok && !s.skipped)} ok, ${count((s) => s.skipped)} skipped, ${count((s) => !s.ok)} failed; ` +
            `${life.requests} requests, ${life.serverErrors.length} answered 5xx, ` +
            `${life.refused.length} refused, ${life.logErrors.length} errors in the log`,
    );
    process.exitCode = life.ok ? 0 : 1;
} finally {
    await smtp.stop();
}
