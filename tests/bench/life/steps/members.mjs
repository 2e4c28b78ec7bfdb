// Members: those who sign up themselves by a link in a mail, those whom the owner
// adds or imports, their labels, and their end.
import { check, fileForm, until } from '../client.mjs';
import { ADMIN } from '../session.mjs';

const API = '/members/api';
const MAIL_LIMIT_MS = 60_000;
const IMPORTED = 25;

/** Asks for the magic link as `who`'s browser and follows it. `type`: signup or signin. */
export async function followMagicLink(life, browser, { name, email }, type) {
    const asked = Date.now();
    const body = { email, name, emailType: type };
    // Newer Ghosts want a token with it, older ones have no such address.
    const token = await browser.get(`${API}/integrity-token/`, { expect: [200, 404] });
    if (token.status === 200) body.integrityToken = token.text;
    await browser.post(`${API}/send-magic-link/`, body, { expect: 201 });
    const mail = await life.smtp.waitFor(
        (m) => m.at >= asked && m.to.includes(email) && /[?&]token=/.test(m.text),
        MAIL_LIMIT_MS,
    );
    const link = /https?:\/\/[^\s"<>]+[?&]token=[^\s"<>]+/.exec(mail.text)[0].replaceAll('&amp;', '&');
    await browser.get(link, { expect: [301, 302] });
    check(browser.cookies.has('ghost-members-ssr'), `the link of the ${type} has opened no session for ${email}`);
}

async function signUp(life, firstName) {
    const browser = life.client.stranger();
    const who = { name: `${firstName} ${life.tag}`, email: `${firstName}-${life.tag}@example.com`.toLowerCase() };
    await followMagicLink(life, browser, who, 'signup');
    const me = (await browser.get(`${API}/member/`, { expect: 200 })).json;
    check(me.email === who.email, `the member who signed up as ${who.email} is ${me.email}`);
    const { json } = await life.client.get(`${ADMIN}/members/?filter=${encodeURIComponent(`email:'${who.email}'`)}`);
    check(json.members.length === 1, `${json.members.length} members have the address that signed up`);
    return { ...who, client: browser, id: json.members[0].id, uuid: json.members[0].uuid };
}

const byLabel = (slug) => `filter=${encodeURIComponent(`label:${slug}`)}`;

async function countOf(life, query) {
    return (await life.client.get(`${ADMIN}/members/?limit=1&${query}`)).json.meta.pagination.total;
}

export const making = [
    {
        name: 'sign up three members by the link in the mail',
        async run(life) {
            life.made.members = {};
            for (const name of ['Mia', 'Nils', 'Pia']) life.made.members[name] = await signUp(life, name);
        },
    },
    {
        name: 'sign a member out and in again',
        needs: ['sign up three members by the link in the mail'],
        async run(life) {
            const { Mia } = life.made.members;
            await Mia.client.delete(`${API}/session/`);
            const { status } = await Mia.client.get(`${API}/member/`);
            check(status === 204, `a member who has signed out reads her data (${status})`);
            await followMagicLink(life, Mia.client, Mia, 'signin');
        },
    },
    {
        name: 'change a member’s own name and newsletters as that member',
        needs: ['sign up three members by the link in the mail'],
        async run(life) {
            const { Mia } = life.made.members;
            const { json } = await Mia.client.put(`${API}/member/`, { name: `Mia Maria ${life.tag}`, newsletters: [] });
            check(json.name === `Mia Maria ${life.tag}`, 'the member has not kept her name');
            check(json.newsletters.length === 0, 'the member is still subscribed');
        },
    },
    {
        name: 'create, edit and delete labels',
        async run(life) {
            const add = async (name) =>
                (await life.client.post(`${ADMIN}/labels/`, { labels: [{ name }] }, { expect: 201 })).json.labels[0];
            const label = await add(`Friends ${life.tag}`);
            const { json } = await life.client.put(`${ADMIN}/labels/${label.id}/`, {
                labels: [{ name: `Good friends ${life.tag}` }],
            });
            check(json.labels[0].name === `Good friends ${life.tag}`, 'the label has not kept its name');
            life.made.label = json.labels[0];
            const gone = await add(`Strangers ${life.tag}`);
            await life.client.delete(`${ADMIN}/labels/${gone.id}/`, { expect: 204 });
            await life.client.get(`${ADMIN}/labels/${gone.id}/`, { expect: 404 });
        },
    },
    {
        name: 'create and edit a member with labels',
        needs: ['create, edit and delete labels'],
        async run(life) {
            const { json } = await life.client.post(
                `${ADMIN}/members/`,
                {
                    members: [
                        {
                            name: `Rolf ${life.tag}`,
                            email: `rolf-${life.tag}@example.com`,
                            note: 'By hand',
                            labels: [{ id: life.made.label.id, name: life.made.label.name, slug: life.made.label.slug }],
                        },
                    ],
                },
                { expect: 201 },
            );
            const member = json.members[0];
            check(member.labels.length === 1, `the new member has ${member.labels.length} labels, not 1`);
            check(member.newsletters.length > 0, 'the new member is subscribed to nothing');
            const edited = (
                await life.client.put(`${ADMIN}/members/${member.id}/`, {
                    members: [{ note: 'By hand, twice', labels: [], newsletters: [] }],
                })
            ).json.members[0];
            check(edited.note === 'By hand, twice', 'the member has not kept the note');
            check(edited.labels.length === 0 && edited.newsletters.length === 0, 'labels or newsletters are left');
            life.made.member = edited;
        },
    },
    {
        name: 'import members from a CSV file',
        async run(life) {
            const rows = ['email,name,note,subscribed_to_emails,labels'];
            for (let n = 0; n < IMPORTED; n += 1) {
                rows.push(`import-${n}-${life.tag}@example.com,Import ${n},row ${n},${n % 2 === 0},Imported ${life.tag}`);
            }
            const form = fileForm('membersfile', 'members.csv', 'text/csv', rows.join('\n'));
            const { status, json } = await life.client.post(`${ADMIN}/members/upload/`, form, { expect: [201, 202] });
            if (status === 201) {
                const { imported, invalid } = json.meta.stats;
                check(imported === IMPORTED, `${imported} of ${IMPORTED} rows imported: ${JSON.stringify(invalid)}`);
            }
            const slug = `imported-${life.tag}`;
            await until('the imported members', 60_000, async () => {
                const total = await countOf(life, byLabel(slug));
                return total === IMPORTED ? total : undefined;
            });
            life.made.importedSlug = slug;
        },
    },
    {
        name: 'label members in bulk',
        needs: ['import members from a CSV file', 'create, edit and delete labels'],
        async run(life) {
            const { label, importedSlug } = life.made;
            const bulk = (action) =>
                life.client.put(`${ADMIN}/members/bulk/?${byLabel(importedSlug)}`, {
                    bulk: { action, meta: { label: { id: label.id } } },
                });
            await bulk('addLabel');
            const added = await countOf(life, byLabel(label.slug));
            check(added === IMPORTED, `${added} of ${IMPORTED} members have the label`);
            await bulk('removeLabel');
            const left = await countOf(life, byLabel(label.slug));
            check(left === 0, `${left} members still have the label`);
        },
    },
    {
        name: 'unsubscribe members in bulk',
        needs: ['import members from a CSV file'],
        async run(life) {
            const query = byLabel(life.made.importedSlug);
            await life.client.put(`${ADMIN}/members/bulk/?${query}`, { bulk: { action: 'unsubscribe', meta: {} } });
            const filter = encodeURIComponent(`label:${life.made.importedSlug}+subscribed:true`);
            const left = await countOf(life, `filter=${filter}`);
            check(left === 0, `${left} members are still subscribed`);
        },
    },
    {
        name: 'read a member’s activity and sign-in link',
        needs: ['sign up three members by the link in the mail'],
        async run(life) {
            const { Nils } = life.made.members;
            const filter = encodeURIComponent(`data.member_id:'${Nils.id}'`);
            const { json } = await life.client.get(`${ADMIN}/members/events/?filter=${filter}&limit=10`);
            check(json.events.length > 0, 'the member who signed up and in has no events');
            const links = (await life.client.get(`${ADMIN}/members/${Nils.id}/signin_urls/`)).json;
            const browser = life.client.stranger();
            await browser.get(links.member_signin_urls[0].url, { expect: [301, 302] });
            check((await browser.get(`${API}/member/`)).status === 200, 'the link for impersonation opens no session');
        },
    },
    {
        name: 'export the members',
        needs: ['import members from a CSV file'],
        async run(life) {
            const { text } = await life.client.get(`${ADMIN}/members/upload/?limit=all`, { expect: 200 });
            const rows = text.trim().split('\n');
            check(rows[0].includes('email'), `the export begins with ${rows[0].slice(0, 80)}`);
            const mine = rows.filter((row) => row.includes(`-${life.tag}@example.com`)).length;
            check(mine >= IMPORTED, `the export has ${mine} of at least ${IMPORTED} members`);
        },
    },
];

export const ending = [
    {
        name: 'sign a member out everywhere',
        needs: ['sign a member out and in again'],
        async run(life) {
            const { Mia } = life.made.members;
            await life.client.delete(`${ADMIN}/members/${Mia.id}/sessions/`);
            // Older Ghosts answer 200 and null to a session that is no more.
            const { json } = await Mia.client.get(`${API}/member/`, { expect: [200, 204] });
            check(!json?.email, 'a member who was signed out everywhere still reads her data');
        },
    },
    {
        name: 'delete a member, and members in bulk',
        needs: ['create and edit a member with labels', 'import members from a CSV file'],
        async run(life) {
            await life.client.delete(`${ADMIN}/members/${life.made.member.id}/`, { expect: 204 });
            await life.client.get(`${ADMIN}/members/${life.made.member.id}/`, { expect: 404 });
            const query = byLabel(life.made.importedSlug);
            await life.client.delete(`${ADMIN}/members/?${query}`);
            const left = await countOf(life, query);
            check(left === 0, `${left} of ${IMPORTED} members are left after deleting in bulk`);
        },
    },
];
