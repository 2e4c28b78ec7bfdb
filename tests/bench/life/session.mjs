// Who talks to Ghost's Admin API: set-up of the owner, log-in (with the code that
// newer Ghosts send by mail to an unknown device), and the end of all sessions.
import { Client, Refusal, check, until } from './client.mjs';

export const ADMIN = '/ghost/api/admin';
const ANSWER_LIMIT_MS = 120_000;
const MAIL_LIMIT_MS = 60_000;

export const OWNER = {
    name: 'Olga Owner',
    email: 'owner@example.com',
    password: 'kv7-Brindle-harbour-42',
    blogTitle: 'Life after the boot',
};

/** "6.65.0" or "5.75" -> comparable [6, 65]. */
export function versionOf(text) {
    const [major = 0, minor = 0] = String(text).split('.').map(Number);
    return { major, minor, text, atLeast: (a, b = 0) => major > a || (major === a && minor >= b) };
}

/** The public description of the site, once the Admin API answers it. */
export function waitForSite(baseUrl, limit = ANSWER_LIMIT_MS) {
    const client = new Client(baseUrl); // not on record: a Ghost that still boots answers 503
    return until(`${baseUrl}${ADMIN}/site/`, limit, async () => {
        const { json, text } = await client.get(`${ADMIN}/site/`, { timeout: 10_000 });
        check(json?.site, `no site in ${text.slice(0, 200)}`);
        return json.site;
    });
}

async function openSession(baseUrl, smtp) {
    const site = await waitForSite(baseUrl);
    const client = new Client(baseUrl, { origin: site.url });
    return { client, site, version: versionOf(site.version), baseUrl, smtp, owner: { ...OWNER } };
}

/** Opens a session on the client's own cookies; answers what it took: 'password' or 'mail code'. */
export async function openStaffSession(client, { email, password }, smtp) {
    const asked = Date.now();
    const { status, text } = await client.post(
        `${ADMIN}/session/`,
        { username: email, password },
        { expect: [201, 403] },
    );
    if (status === 201) return 'password';
    // Ghost tells 2FA_TOKEN_REQUIRED from 2FA_NEW_DEVICE_DETECTED; the cure is one.
    if (!/2FA_/.test(text)) throw new Refusal({ method: 'POST', path: `${ADMIN}/session/`, status, text });
    const mail = await smtp.waitFor(
        (m) => m.at >= asked && m.to.includes(email) && /^\s*\d{6}\b/.test(m.subject),
        MAIL_LIMIT_MS,
    );
    await client.put(`${ADMIN}/session/verify`, { token: mail.subject.trim().slice(0, 6) });
    return 'mail code';
}

async function readMe(client) {
    const { json } = await client.get(`${ADMIN}/users/me/?include=roles`);
    return json.users[0];
}

/** Logs in to a Ghost whose owner is set up (by setUpOwner, or with these credentials). */
export async function login(baseUrl, { smtp, email = OWNER.email, password = OWNER.password } = {}) {
    const session = await openSession(baseUrl, smtp);
    Object.assign(session.owner, { email, password });
    session.loggedInBy = await openStaffSession(session.client, session.owner, smtp);
    session.me = await readMe(session.client);
    return session;
}

/** Sets up the owner, logs in, publishes one post. Throws with status and text where Ghost refuses. */
export async function setUpOwner(baseUrl, { smtp } = {}) {
    const { client } = await openSession(baseUrl, smtp);
    await client.post(`${ADMIN}/authentication/setup/`, { setup: [OWNER] }, { expect: 201 });
    const session = await login(baseUrl, { smtp });
    const draft = (
        await session.client.post(
            `${ADMIN}/posts/?source=html`,
            { posts: [{ title: 'The first post', html: '<p>Written through the Admin API.</p>' }] },
            { expect: 201 },
        )
    ).json.posts[0];
    session.firstPost = (
        await session.client.put(`${ADMIN}/posts/${draft.id}/`, {
            posts: [{ status: 'published', updated_at: draft.updated_at }],
        })
    ).json.posts[0];
    check(session.firstPost.status === 'published', `the first post is ${session.firstPost.status}, not published`);
    return session;
}

/**
 * Signs out all users, as the button in the settings does, and looks whether the
 * session is really dead. Answers {status, text, path, alive}; `status` 500 is an
 * answer here, since some databases refuse it. The users are locked after it:
 * `regainAccess` opens the owner's session again.
 */
export async function signOutAllUsers(session, { expect } = {}) {
    const before = session.client.stranger();
    before.cookies = new Map(session.client.cookies); // a thief's copy: no Set-Cookie reaches it
    const path = await resetPath(session);
    const any = expect ?? [200, 204, 400, 401, 403, 404, 422, 500, 503];
    const { status, text } = await session.client.post(path, {}, { expect: any });
    const { status: then } = await before.get(`${ADMIN}/users/me/`, { expect: [200, 401, 403, 404] });
    return { status, text, path, alive: then === 200 };
}

// The path was renamed during 6.x. Asked with a stranger's request, which cannot do anything:
// a path that exists answers 401 or 403, one that does not 404.
async function resetPath(session) {
    const renamed = `${ADMIN}/authentication/reset/`;
    const older = `${ADMIN}/authentication/global_password_reset/`;
    const { status } = await session.client.stranger().post(renamed, {}, { expect: [401, 403, 404] });
    return status === 404 ? older : renamed;
}

/** After signOutAllUsers: asks for a new password by mail, sets it, logs in. */
export async function regainAccess(session) {
    const { client, smtp, owner } = session;
    const asked = Date.now();
    client.cookies.clear();
    // A locked user's log-in answers 401 and sends the mail with the token.
    await client.post(
        `${ADMIN}/session/`,
        { username: owner.email, password: owner.password },
        { expect: [401, 403, 422] },
    );
    const mail = await smtp.waitFor(
        (m) => m.at >= asked && m.to.includes(owner.email) && /\/reset\/[^/\s"]+/.test(m.text),
        MAIL_LIMIT_MS,
    );
    const token = decodeURIComponent(/\/reset\/([^/\s"]+)/.exec(mail.text)[1]);
    // The same password again: so that who logs in later need not know how far a life went.
    const { password } = owner;
    await client.put(`${ADMIN}/authentication/password_reset/`, {
        password_reset: [{ token, newPassword: password, ne2Password: password }],
    });
    await openStaffSession(client, owner, smtp);
    session.me = await readMe(client);
}
