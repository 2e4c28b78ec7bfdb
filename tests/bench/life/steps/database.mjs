// The site as a whole: export, delete everything, import again, delete everything,
// and sign out all users.
import { check, fileForm, until } from '../client.mjs';
import { ADMIN, openStaffSession, regainAccess, signOutAllUsers } from '../session.mjs';

const COMMENTS = '/members/api/comments/';
const IMPORT_LIMIT_MS = 180_000;

const total = async (life, kind) =>
    (await life.client.get(`${ADMIN}/${kind}/?limit=1`)).json.meta.pagination.total;

async function deleteAll(life) {
    await life.client.delete(`${ADMIN}/db/`, { expect: 204, timeout: 180_000 });
    for (const kind of ['posts', 'pages', 'tags']) {
        const left = await total(life, kind);
        check(left === 0, `${left} ${kind} are left after deleting all content`);
    }
}

const EXPORT = 'export the content, and back it up';
const DELETE = 'delete all content';
const IMPORT = 'import the export again';

export const steps = [
    {
        name: EXPORT,
        needs: ['edit the post, keeping a revision'],
        async run(life) {
            const { text, json } = await life.client.get(`${ADMIN}/db/`, { expect: 200 });
            const { data } = json.db[0];
            check(data.posts.some(({ id }) => id === life.made.post.id), 'the export lacks the post');
            life.made.export = text;
            life.made.exported = { posts: await total(life, 'posts'), pages: await total(life, 'pages') };
            await life.client.post(`${ADMIN}/db/backup/`, {});
        },
    },
    {
        name: DELETE,
        needs: [EXPORT, 'allow comments', 'sign up three members by the link in the mail'],
        async run(life) {
            const { Pia } = life.made.members;
            const say = async (fields) =>
                (await Pia.client.post(COMMENTS, { comments: [{ html: '<p>Still here</p>', ...fields }] }, { expect: 201 })).json
                    .comments[0];
            const root = await say({ post_id: life.made.post.id });
            const reply = await say({ post_id: life.made.post.id, parent_id: root.id });
            await deleteAll(life);
            for (const { id } of [root, reply]) {
                const { status } = await Pia.client.get(`${COMMENTS}${id}/`, { expect: [200, 404] });
                check(status === 404, 'a comment has outlived the deletion of all content');
            }
        },
    },
    {
        name: IMPORT,
        needs: [DELETE],
        async run(life) {
            const asked = Date.now();
            const form = fileForm('importfile', 'export.json', 'application/json', life.made.export);
            await life.client.post(`${ADMIN}/db/`, form, { expect: [200, 201, 202], timeout: IMPORT_LIMIT_MS });
            const mail = await life.smtp.waitFor((m) => m.at >= asked && /content import/.test(m.subject), IMPORT_LIMIT_MS);
            const words = mail.text.replace(/<style[\s\S]*?<\/style>|<[^>]*>/g, ' ').replace(/\s+/g, ' ');
            check(/finished/.test(mail.subject), `${mail.subject}: ${words.slice(0, 600)}`);
            const { slug, title } = life.made.post;
            const { json } = await life.client.get(`${ADMIN}/posts/slug/${slug}/?include=tags,authors`, { expect: [200, 404] });
            const post = json.posts?.[0];
            check(post?.title === title, `the post "${title}" is not back`);
            check(post.tags.some((tag) => tag.name === life.made.tags[0].name), 'the imported post lacks its tag');
            check(post.authors.length === 1, `the imported post has ${post.authors.length} authors`);
            for (const kind of ['posts', 'pages']) {
                const count = await total(life, kind);
                check(count === life.made.exported[kind], `${count} of ${life.made.exported[kind]} ${kind} are back`);
            }
        },
    },
    {
        name: 'read an imported post as a visitor',
        needs: [IMPORT],
        async run(life) {
            const visitor = life.client.stranger();
            await until('the imported post', 15_000, async () => {
                const { status } = await visitor.get(`/${life.made.post.slug}/`, { expect: [200, 404] });
                return status === 200 ? true : undefined;
            });
        },
    },
    {
        name: 'delete all content again',
        needs: [IMPORT],
        run: deleteAll,
    },
    {
        name: 'delete all members',
        async run(life) {
            await life.client.delete(`${ADMIN}/members/?all=true`);
            const left = await total(life, 'members');
            check(left === 0, `${left} members are left after deleting all`);
        },
    },
    {
        name: 'log out and in',
        async run(life) {
            await life.client.delete(`${ADMIN}/session/`, { expect: 204 });
            await life.client.get(`${ADMIN}/users/me/`, { expect: [401, 403] });
            await openStaffSession(life.client, life.session.owner, life.smtp);
            await life.client.get(`${ADMIN}/users/me/`, { expect: 200 });
        },
    },
    {
        name: 'sign out all users, and set a new password',
        async run(life) {
            const { alive } = await signOutAllUsers(life.session, { expect: [200, 204] });
            check(!alive, 'a session has outlived the signing out of all users');
            await regainAccess(life.session);
        },
    },
];
