// Posts, pages, tags, images and the staff that writes them.
import { Skip, check, fileForm } from '../client.mjs';
import { ADMIN, openStaffSession } from '../session.mjs';

// One pixel. Ghost reads its size, so it has to be a real one.
export const PNG = Buffer.from(
    'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
    'base64',
);

const MAIL_LIMIT_MS = 60_000;

export function lexical(text) {
    const node = { detail: 0, format: 0, mode: 'normal', style: '', text, type: 'text', version: 1 };
    const paragraph = { children: [node], direction: 'ltr', format: '', indent: 0, type: 'paragraph', version: 1 };
    return JSON.stringify({
        root: { children: [paragraph], direction: 'ltr', format: '', indent: 0, type: 'root', version: 1 },
    });
}

/** Creates a post or page and publishes it; `kind` is 'posts' or 'pages'. */
export async function publish(life, fields, kind = 'posts') {
    const made = await life.client.post(`${ADMIN}/${kind}/`, { [kind]: [fields] }, { expect: 201 });
    return edit(life, kind, made.json[kind][0], { status: 'published' });
}

export async function edit(life, kind, { id, updated_at }, fields, query = '') {
    const { json } = await life.client.put(`${ADMIN}/${kind}/${id}/${query}`, {
        [kind]: [{ ...fields, updated_at }],
    });
    return json[kind][0];
}

export const making = [
    {
        name: 'upload an image',
        async run(life) {
            const form = fileForm('file', `pixel-${life.tag}.png`, 'image/png', PNG, { purpose: 'image' });
            const { json } = await life.client.post(`${ADMIN}/images/upload/`, form, { expect: 201 });
            life.made.image = json.images[0].url;
            await life.client.stranger().get(new URL(life.made.image).pathname, { expect: 200 });
        },
    },
    {
        name: 'create and edit tags',
        async run(life) {
            life.made.tags = [];
            for (const name of [`Garden ${life.tag}`, `#inside-${life.tag}`]) {
                const { json } = await life.client.post(`${ADMIN}/tags/`, { tags: [{ name }] }, { expect: 201 });
                life.made.tags.push(json.tags[0]);
            }
            const [{ id }] = life.made.tags;
            const { json } = await life.client.put(`${ADMIN}/tags/${id}/`, {
                tags: [{ description: 'What grows', accent_color: '#008800', feature_image: life.made.image }],
            });
            check(json.tags[0].description === 'What grows', 'the tag has not kept its description');
        },
    },
    {
        name: 'invite a second staff user, who accepts',
        async run(life) {
            const { json } = await life.client.get(`${ADMIN}/roles/?limit=all`);
            const editor = json.roles.find((role) => role.name === 'Editor');
            const who = {
                name: `Edgar ${life.tag}`,
                email: `editor-${life.tag}@example.com`,
                password: 'zt4-Pewter-lantern-81',
            };
            const invite = { email: who.email, role_id: editor.id };
            await life.client.post(`${ADMIN}/invites/`, { invites: [invite] }, { expect: 201 });
            const invited = (m) => m.to.includes(who.email) && /\/signup\/[^/\s"]+/.test(m.text);
            const mail = await life.smtp.waitFor(invited, MAIL_LIMIT_MS);
            const token = decodeURIComponent(/\/signup\/([^/\s"]+)/.exec(mail.text)[1]);
            const theirs = life.client.stranger();
            await theirs.post(`${ADMIN}/authentication/invitation/`, { invitation: [{ ...who, token }] });
            await openStaffSession(theirs, who, life.smtp);
            const me = (await theirs.get(`${ADMIN}/users/me/?include=roles`)).json.users[0];
            check(me.roles[0].name === 'Editor', `the second user's role is ${me.roles[0].name}`);
            life.made.editor = { ...who, id: me.id, slug: me.slug, client: theirs };
        },
    },
    {
        name: 'create a post with tags and two authors',
        needs: ['create and edit tags', 'invite a second staff user, who accepts'],
        async run(life) {
            const { json } = await life.client.post(
                `${ADMIN}/posts/?include=tags,authors`,
                {
                    posts: [
                        {
                            title: `Beans ${life.tag}`,
                            lexical: lexical('Beans climb.'),
                            feature_image: life.made.image,
                            tags: [...life.made.tags.map(({ id }) => ({ id })), { name: `New ${life.tag}` }],
                            authors: [{ id: life.me.id }, { id: life.made.editor.id }],
                        },
                    ],
                },
                { expect: 201 },
            );
            const post = json.posts[0];
            check(post.tags.length === 3, `the post has ${post.tags.length} tags, not 3`);
            check(post.authors.length === 2, `the post has ${post.authors.length} authors, not 2`);
            life.made.post = post;
        },
    },
    {
        name: 'publish it, and read it as a visitor',
        needs: ['create a post with tags and two authors'],
        async run(life) {
            const { post } = life.made;
            life.made.post = await edit(life, 'posts', post, { status: 'published' });
            const { text } = await life.client.stranger().get(`/${post.slug}/`, { expect: 200 });
            check(text.includes('Beans climb.'), 'the published post lacks its text');
        },
    },
    {
        name: 'edit the post, keeping a revision',
        needs: ['publish it, and read it as a visitor'],
        async run(life) {
            life.made.post = await edit(
                life,
                'posts',
                life.made.post,
                { lexical: lexical('Beans climb high.'), tags: life.made.tags.map(({ id }) => ({ id })) },
                '?save_revision=true&include=tags,authors',
            );
            check(life.made.post.tags.length === 2, 'the tag that was taken off is still there');
            const { json } = await life.client.get(
                `${ADMIN}/posts/${life.made.post.id}/?include=post_revisions&formats=html`,
            );
            check(json.posts[0].html.includes('climb high'), 'the edit is not in the post');
            check(json.posts[0].post_revisions?.length >= 1, 'no revision was kept');
        },
    },
    {
        name: 'schedule a post, and take it back',
        async run(life) {
            const { json } = await life.client.post(
                `${ADMIN}/posts/`,
                { posts: [{ title: `Later ${life.tag}`, lexical: lexical('Tomorrow.') }] },
                { expect: 201 },
            );
            const tomorrow = new Date(Date.now() + 86_400_000).toISOString();
            const fields = { status: 'scheduled', published_at: tomorrow };
            const scheduled = await edit(life, 'posts', json.posts[0], fields);
            check(scheduled.status === 'scheduled', `the post is ${scheduled.status}, not scheduled`);
            life.made.draft = await edit(life, 'posts', scheduled, { status: 'draft' });
        },
    },
    {
        name: 'copy a post, change and delete posts in bulk',
        needs: ['schedule a post, and take it back'],
        async run(life) {
            const { draft } = life.made;
            const copy = (await life.client.post(`${ADMIN}/posts/${draft.id}/copy/`, {}, { expect: 201 })).json.posts[0];
            const filter = encodeURIComponent(`id:[${draft.id},${copy.id}]`);
            const bulk = (action, meta) =>
                life.client.put(`${ADMIN}/posts/bulk/?filter=${filter}`, { bulk: { action, meta } });
            await bulk('feature', {});
            await bulk('addTag', { tags: [{ name: `Bulk ${life.tag}`, slug: `bulk-${life.tag}` }] });
            const { json } = await life.client.get(`${ADMIN}/posts/?filter=${filter}&include=tags`);
            check(
                json.posts.length === 2 && json.posts.every((p) => p.featured && p.tags.length === 1),
                'the change in bulk has not reached both posts',
            );
            await life.client.delete(`${ADMIN}/posts/?filter=${filter}`);
            const left = (await life.client.get(`${ADMIN}/posts/?filter=${filter}`)).json.posts;
            check(left.length === 0, `${left.length} of 2 posts are left after deleting in bulk`);
        },
    },
    {
        name: 'write a post as the second user',
        needs: ['invite a second staff user, who accepts'],
        async run(life) {
            const theirs = { ...life, client: life.made.editor.client };
            const post = await publish(theirs, { title: `Peas ${life.tag}`, lexical: lexical('Peas climb.') });
            life.made.theirPost = post;
            life.client.lastStatus = theirs.client.lastStatus;
        },
    },
    {
        name: 'create, publish, edit and delete pages',
        needs: ['create and edit tags'],
        async run(life) {
            const fields = (title) => ({ title, lexical: lexical(title), tags: [{ id: life.made.tags[0].id }] });
            const page = await publish(life, fields(`About ${life.tag}`), 'pages');
            const edited = await edit(life, 'pages', page, { title: `All about ${life.tag}` });
            check(edited.title === `All about ${life.tag}`, 'the page has not kept its title');
            await life.client.stranger().get(`/${page.slug}/`, { expect: 200 });
            const gone = await publish(life, fields(`Gone ${life.tag}`), 'pages');
            await life.client.delete(`${ADMIN}/pages/${gone.id}/`, { expect: 204 });
            await life.client.get(`${ADMIN}/pages/${gone.id}/`, { expect: 404 });
            life.made.page = edited;
        },
    },
    {
        name: 'delete a post',
        async run(life) {
            const post = await publish(life, { title: `Weeds ${life.tag}`, lexical: lexical('Weeds.') });
            await life.client.delete(`${ADMIN}/posts/${post.id}/`, { expect: 204 });
            await life.client.get(`${ADMIN}/posts/${post.id}/`, { expect: 404 });
        },
    },
];

export const ending = [
    {
        // After the lists have been read: Ghost 6.65.0 answers 500 to its list of actions, on any
        // database, once a gift link is among the latest.
        name: 'renew and remove gift links',
        needs: ['publish it, and read it as a visitor'],
        async run(life) {
            const path = `${ADMIN}/posts/${life.made.post.id}/gift_links/`;
            const { status } = await life.client.get(path, { expect: [200, 404] });
            if (status === 404) throw new Skip('has no gift links');
            await life.client.put(path, {});
            await life.client.post(path, {});
            await life.client.put(`${ADMIN}/gift_links/remove_all/`, {});
        },
    },
    {
        name: 'delete a tag that is in use',
        needs: ['create a post with tags and two authors'],
        async run(life) {
            await life.client.delete(`${ADMIN}/tags/${life.made.tags[1].id}/`, { expect: 204 });
            const { json } = await life.client.get(`${ADMIN}/posts/${life.made.post.id}/?include=tags`);
            check(json.posts[0].tags.length === 1, 'the deleted tag is still on its post');
        },
    },
    {
        name: 'delete the second user, whose posts pass to the owner',
        needs: ['write a post as the second user', 'publish it, and read it as a visitor'],
        async run(life) {
            await life.client.delete(`${ADMIN}/users/${life.made.editor.id}/`);
            await life.client.get(`${ADMIN}/users/${life.made.editor.id}/`, { expect: 404 });
            for (const { id } of [life.made.theirPost, life.made.post]) {
                const { json } = await life.client.get(`${ADMIN}/posts/${id}/?include=authors,tags`);
                const authors = json.posts[0].authors.map((author) => author.id);
                check(
                    authors.length === 1 && authors[0] === life.me.id,
                    `the authors of "${json.posts[0].title}" are not the owner alone`,
                );
            }
            await life.made.editor.client.get(`${ADMIN}/users/me/`, { expect: [401, 403, 404] });
        },
    },
];
