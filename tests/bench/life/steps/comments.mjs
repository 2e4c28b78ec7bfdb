// Comments and replies of members, and what is left of them when a comment, a post
// or a member goes. `comments.parent_id` refers to its own table: on a database that
// plans foreign keys itself this is where it shows.
import { check } from '../client.mjs';
import { ADMIN } from '../session.mjs';
import { lexical, publish } from './content.mjs';

const API = '/members/api/comments';

async function comment(member, fields) {
    const { json } = await member.client.post(`${API}/`, { comments: [fields] }, { expect: 201 });
    return json.comments[0];
}

const say = (member, post, text) => comment(member, { post_id: post.id, html: `<p>${text}</p>` });

const reply = (member, parent, text, inReplyTo) =>
    comment(member, {
        post_id: parent.post_id,
        parent_id: parent.id,
        html: `<p>${text}</p>`,
        ...(inReplyTo ? { in_reply_to_id: inReplyTo.id } : {}),
    });

/** A post with a thread: Mia's comment, replies of Nils and Pia, Nils's answer to Pia, Pia's own comment. */
async function thread(life, title) {
    const { Mia, Nils, Pia } = life.made.members;
    const post = await publish(life, { title: `${title} ${life.tag}`, lexical: lexical(title) });
    const root = { ...(await say(Mia, post, 'First')), post_id: post.id };
    const first = await reply(Nils, root, 'Second');
    const second = await reply(Pia, root, 'Third');
    const answer = await reply(Nils, root, 'Fourth', life.version.atLeast(5, 110) ? second : undefined);
    const other = { ...(await say(Pia, post, 'Apart')), post_id: post.id };
    return { post, root, first, second, answer, other };
}

async function readThread(life, post) {
    const { json } = await life.client.stranger().get(`${API}/?filter=${encodeURIComponent(`post_id:'${post.id}'`)}&limit=50`);
    return json.comments;
}

async function statusOf(life, { id }) {
    return (await life.client.stranger().get(`${API}/${id}/`, { expect: [200, 404] })).status;
}

async function repliesTo(life, { id }) {
    return (await life.client.stranger().get(`${API}/${id}/replies/?limit=50`)).json.comments;
}

const SIGNED_UP = 'sign up three members by the link in the mail';
const THREAD = 'comment and reply';

export const steps = [
    {
        name: 'allow comments',
        async run(life) {
            const settings = [{ key: 'comments_enabled', value: 'all' }];
            const { json } = await life.client.put(`${ADMIN}/settings/`, { settings });
            const value = json.settings.find((s) => s.key === 'comments_enabled').value;
            check(value === 'all', `comments are "${value}", not "all"`);
        },
    },
    {
        name: THREAD,
        needs: ['allow comments', SIGNED_UP],
        async run(life) {
            life.made.thread = await thread(life, 'Discussed');
            const comments = await readThread(life, life.made.thread.post);
            check(comments.length === 2, `the post has ${comments.length} comments at the top, not 2`);
            const replies = await repliesTo(life, life.made.thread.root);
            check(replies.length === 3, `the comment has ${replies.length} replies, not 3`);
            if (life.version.atLeast(5, 110)) {
                const answer = replies.find(({ id }) => id === life.made.thread.answer.id);
                check(answer.in_reply_to_id === life.made.thread.second.id, 'the answer to a reply does not name that reply');
            }
        },
    },
    {
        name: 'like, unlike, edit and report comments',
        needs: [THREAD],
        async run(life) {
            const { Mia, Nils, Pia } = life.made.members;
            const { root, first } = life.made.thread;
            for (const member of [Nils, Pia]) await member.client.post(`${API}/${root.id}/like/`, {}, { expect: 204 });
            await Pia.client.delete(`${API}/${root.id}/like/`, { expect: 204 });
            await Mia.client.post(`${API}/${first.id}/like/`, {}, { expect: 204 });
            const edited = await Mia.client.put(`${API}/${root.id}/`, { comments: [{ html: '<p>First, edited</p>' }] });
            check(edited.json.comments[0].html.includes('edited'), 'the comment has not kept its edit');
            await Pia.client.post(`${API}/${root.id}/report/`, {}, { expect: 204 });
            const read = (await Nils.client.get(`${API}/${root.id}/`)).json.comments[0];
            check(read.count.likes === 1, `the comment has ${read.count.likes} likes, not 1`);
            check(read.liked === true, 'the member who liked the comment has not');
            const counts = (await life.client.stranger().get(`${API}/counts/?ids=${life.made.thread.post.id}`)).json;
            check(Object.values(counts)[0] === 5, `the count of the post's comments is ${JSON.stringify(counts)}, not 5`);
        },
    },
    {
        name: 'hide and show a comment as the owner',
        needs: [THREAD],
        async run(life) {
            const { other } = life.made.thread;
            const set = (status) => life.client.put(`${ADMIN}/comments/${other.id}/`, { comments: [{ id: other.id, status }] });
            await set('hidden');
            const visible = (await readThread(life, life.made.thread.post)).filter((c) => c.html !== null);
            check(visible.every((c) => c.id !== other.id), 'the hidden comment is still shown');
            await set('published');
            check((await readThread(life, life.made.thread.post)).length === 2, 'the comment is not shown again');
        },
    },
    {
        name: 'moderate comments: browse, dislike, pin, stop a member from commenting',
        needs: [THREAD],
        since: [6, 40],
        async run(life) {
            const { Nils, Pia } = life.made.members;
            const { root, other } = life.made.thread;
            const all = (await life.client.get(`${ADMIN}/comments/?limit=20&include_nested=true`)).json.comments;
            check(all.some(({ id }) => id === root.id), 'the owner does not see the comment');
            for (const list of ['replies', 'likes', 'reports', 'dislikes']) {
                await life.client.get(`${ADMIN}/comments/${root.id}/${list}/`);
            }
            await Nils.client.post(`${API}/${other.id}/dislike/`, {}, { expect: 204 });
            await Nils.client.delete(`${API}/${other.id}/dislike/`, { expect: 204 });
            await life.client.put(`${ADMIN}/comments/${other.id}/`, { comments: [{ id: other.id, pinned: true }] });
            await life.client.put(`${ADMIN}/comments/${other.id}/`, { comments: [{ id: other.id, pinned: false }] });
            await life.client.post(`${ADMIN}/members/${Pia.id}/commenting/disable/`, {
                reason: 'Too loud', expires_at: null, hide_comments: false,
            });
            await Pia.client.post(`${API}/`, { comments: [{ post_id: root.post_id, html: '<p>No</p>' }] }, { expect: 403 });
            await life.client.post(`${ADMIN}/members/${Pia.id}/commenting/enable/`, {});
        },
    },
    {
        name: 'delete a comment that has replies',
        needs: [THREAD],
        async run(life) {
            const { Mia } = life.made.members;
            const { root } = life.made.thread;
            await Mia.client.put(`${API}/${root.id}/`, { comments: [{ status: 'deleted' }] });
            const left = (await readThread(life, life.made.thread.post)).find(({ id }) => id === root.id);
            check(left !== undefined, 'the deleted comment no longer holds its thread together');
            check(left.status === 'deleted' && !left.html, 'the deleted comment still has its text');
            const replies = await repliesTo(life, root);
            check(replies.length === 3, `${replies.length} of 3 replies are left under the deleted comment`);
        },
    },
    {
        name: 'delete a post with threaded comments and likes',
        needs: [THREAD],
        async run(life) {
            const { Pia } = life.made.members;
            const { post, root, first, second, answer, other } = await thread(life, 'Doomed');
            await Pia.client.post(`${API}/${first.id}/like/`, {}, { expect: 204 });
            await Pia.client.post(`${API}/${root.id}/report/`, {}, { expect: 204 });
            await life.client.delete(`${ADMIN}/posts/${post.id}/`, { expect: 204 });
            for (const [name, gone] of Object.entries({ root, first, second, answer, other })) {
                check((await statusOf(life, gone)) === 404, `comment "${name}" has outlived its post`);
            }
            check((await readThread(life, post)).length === 0, 'comments of the deleted post are still listed');
            check((await statusOf(life, life.made.thread.first)) === 200, 'a comment on another post is gone');
        },
    },
    {
        name: 'delete a member with comments, replies and likes',
        needs: ['like, unlike, edit and report comments'],
        async run(life) {
            const { Nils } = life.made.members;
            const { post, root, first, answer, other } = life.made.thread;
            await Nils.client.post(`${API}/${other.id}/like/`, {}, { expect: 204 });
            await life.client.delete(`${ADMIN}/members/${Nils.id}/`, { expect: 204 });
            await life.client.get(`${ADMIN}/members/${Nils.id}/`, { expect: 404 });
            const replies = await repliesTo(life, root);
            for (const theirs of [first, answer]) {
                const left = replies.find(({ id }) => id === theirs.id);
                check(left !== undefined, 'the comment of the deleted member is gone');
                check(!left.member, 'the comment of the deleted member still names a member');
            }
            const after = (await readThread(life, post)).find(({ id }) => id === other.id);
            check(after.count.likes === 0, `${after.count.likes} likes are left of the deleted member`);
        },
    },
    {
        name: 'delete a post whose thread has lost a comment and a member',
        needs: ['delete a comment that has replies', 'delete a member with comments, replies and likes'],
        async run(life) {
            const { post, ...comments } = life.made.thread;
            await life.client.delete(`${ADMIN}/posts/${post.id}/`, { expect: 204 });
            for (const [name, gone] of Object.entries(comments)) {
                check((await statusOf(life, gone)) === 404, `comment "${name}" has outlived its post`);
            }
        },
    },
];
