// The site's own affairs: integrations with their keys and webhooks, the Content API,
// settings, theme settings, redirects and routes.
import crypto from 'node:crypto';
import http from 'node:http';
import { check, fileForm, until } from '../client.mjs';
import { ADMIN } from '../session.mjs';
import { lexical, publish } from './content.mjs';

const CONTENT = '/ghost/api/content';

/** The token that Ghost wants of an integration: a JWT with the Admin API key's secret. */
function adminToken(key) {
    const [id, secret] = key.split(':');
    const part = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');
    const now = Math.floor(Date.now() / 1000);
    const signed = `${part({ alg: 'HS256', typ: 'JWT', kid: id })}.${part({ iat: now, exp: now + 300, aud: '/admin/' })}`;
    const signature = crypto.createHmac('sha256', Buffer.from(secret, 'hex')).update(signed).digest('base64url');
    return `${signed}.${signature}`;
}

const INTEGRATION = 'create and edit an integration';

async function upload(life, path, field, name, type, content) {
    return life.client.post(`${ADMIN}${path}`, fileForm(field, name, type, content));
}

export const steps = [
    {
        name: INTEGRATION,
        async run(life) {
            const { json } = await life.client.post(
                `${ADMIN}/integrations/?include=api_keys,webhooks`,
                { integrations: [{ name: `Shed ${life.tag}` }] },
                { expect: 201 },
            );
            const integration = json.integrations[0];
            const edited = (
                await life.client.put(`${ADMIN}/integrations/${integration.id}/?include=api_keys,webhooks`, {
                    integrations: [{ description: 'Where the tools are' }],
                })
            ).json.integrations[0];
            check(edited.description === 'Where the tools are', 'the integration has not kept its description');
            life.made.integration = integration;
            life.made.keys = Object.fromEntries(integration.api_keys.map((key) => [key.type, key]));
        },
    },
    {
        name: 'write with the Admin API key',
        needs: [INTEGRATION],
        async run(life) {
            const { id, secret } = life.made.keys.admin;
            const key = secret.includes(':') ? secret : `${id}:${secret}`;
            const robot = life.client.stranger({ authorization: `Ghost ${adminToken(key)}` });
            const theirs = { ...life, client: robot };
            const post = await publish(theirs, { title: `Robot ${life.tag}`, lexical: lexical('By machine.') });
            await robot.delete(`${ADMIN}/posts/${post.id}/`, { expect: 204 });
            life.client.lastStatus = robot.lastStatus;
        },
    },
    {
        name: 'read the Content API',
        needs: [INTEGRATION, 'publish it, and read it as a visitor'],
        async run(life) {
            const visitor = life.client.stranger();
            const read = async (kind, query = '') =>
                (await visitor.get(`${CONTENT}/${kind}/?key=${life.made.keys.content.secret}${query}`)).json;
            const { posts } = await read('posts', '&include=tags,authors&limit=50&order=published_at%20desc');
            check(posts.some(({ id }) => id === life.made.post.id), 'the published post is missing');
            await read(`posts/slug/${life.made.post.slug}`, '&include=tags,authors');
            await read('posts', `&filter=${encodeURIComponent(`tag:${life.made.tags[0].slug}+authors:[${life.me.slug}]`)}`);
            await read('pages');
            const { tags } = await read('tags', '&include=count.posts&order=count.posts%20desc');
            check(tags.length > 0, 'no tag is public');
            await read('authors', '&include=count.posts');
            await read('tiers', '&include=monthly_price,yearly_price,benefits');
            await read('settings');
            await read('newsletters');
            life.client.lastStatus = visitor.lastStatus;
        },
    },
    {
        name: 'renew the Content API key, whose old one is refused',
        needs: [INTEGRATION],
        async run(life) {
            const { integration, keys } = life.made;
            await life.client.post(
                `${ADMIN}/integrations/${integration.id}/api_key/${keys.content.id}/refresh/`,
                { integrations: [{ id: integration.id }] },
            );
            const visitor = life.client.stranger();
            await visitor.get(`${CONTENT}/posts/?key=${keys.content.secret}`, { expect: 401 });
            const { json } = await life.client.get(`${ADMIN}/integrations/${integration.id}/?include=api_keys`);
            const renewed = json.integrations[0].api_keys.find(({ type }) => type === 'content');
            await visitor.get(`${CONTENT}/posts/?key=${renewed.secret}`, { expect: 200 });
        },
    },
    {
        name: 'create, trigger, edit and delete a webhook',
        needs: [INTEGRATION],
        async run(life) {
            const calls = [];
            const receiver = http.createServer((request, response) => {
                calls.push(request.url);
                request.resume();
                request.on('end', () => response.end('ok'));
            });
            await new Promise((resolve) => receiver.listen(0, '127.0.0.1', resolve));
            try {
                const target = `http://127.0.0.1:${receiver.address().port}/`;
                const { json } = await life.client.post(
                    `${ADMIN}/webhooks/`,
                    {
                        webhooks: [
                            { event: 'post.published', target_url: `${target}published`, integration_id: life.made.integration.id },
                        ],
                    },
                    { expect: 201 },
                );
                const { id } = json.webhooks[0];
                const post = await publish(life, { title: `Hooked ${life.tag}`, lexical: lexical('Hooked.') });
                // Some Ghosts call no private address; then the trigger is in the webhook's own row.
                await until('the webhook, called or recorded as tried', 20_000, async () => {
                    if (calls.includes('/published')) return true;
                    const path = `${ADMIN}/integrations/${life.made.integration.id}/?include=webhooks`;
                    const integration = (await life.client.get(path)).json.integrations[0];
                    return integration.webhooks[0]?.last_triggered_at ? true : undefined;
                });
                await life.client.put(`${ADMIN}/webhooks/${id}/`, { webhooks: [{ event: 'post.deleted', name: 'Gone' }] });
                await life.client.delete(`${ADMIN}/posts/${post.id}/`, { expect: 204 });
                await life.client.delete(`${ADMIN}/webhooks/${id}/`, { expect: 204 });
            } finally {
                receiver.closeAllConnections();
                receiver.close();
            }
        },
    },
    {
        name: 'delete the integration',
        needs: [INTEGRATION],
        async run(life) {
            await life.client.delete(`${ADMIN}/integrations/${life.made.integration.id}/`, { expect: 204 });
            await life.client.get(`${ADMIN}/integrations/${life.made.integration.id}/`, { expect: 404 });
        },
    },
    {
        name: 'change settings',
        async run(life) {
            const settings = [
                { key: 'title', value: `Garden ${life.tag}` },
                { key: 'navigation', value: JSON.stringify([{ label: 'Home', url: '/' }]) },
                { key: 'timezone', value: 'Europe/Berlin' },
                { key: 'announcement_content', value: '<p>Spring!</p>' },
            ];
            await life.client.put(`${ADMIN}/settings/`, { settings });
            const { json } = await life.client.get(`${ADMIN}/settings/`);
            for (const { key, value } of settings) {
                const kept = json.settings.find((s) => s.key === key)?.value;
                check(kept === value, `setting ${key} is ${JSON.stringify(kept)}`);
            }
            const { text } = await life.client.stranger().get('/', { expect: 200 });
            check(text.includes(`Garden ${life.tag}`), 'the home page lacks the new title');
        },
    },
    {
        name: 'change custom theme settings, and the theme',
        async run(life) {
            const path = `${ADMIN}/custom_theme_settings/`;
            const choose = async () => {
                const all = (await life.client.get(path)).json.custom_theme_settings;
                const setting = all.find((s) => s.type === 'select' && s.options.length > 1);
                check(setting !== undefined, 'the theme has no setting to choose from');
                const value = setting.options.find((option) => option !== setting.value);
                const { json } = await life.client.put(path, {
                    custom_theme_settings: all.map((s) => (s.key === setting.key ? { ...s, value } : s)),
                });
                const kept = json.custom_theme_settings.find(({ key }) => key === setting.key).value;
                check(kept === value, `theme setting ${setting.key} is ${JSON.stringify(kept)}`);
            };
            await choose();
            const { themes } = (await life.client.get(`${ADMIN}/themes/`)).json;
            const active = themes.find((theme) => theme.active).name;
            const other = themes.find((theme) => !theme.active)?.name;
            if (other) {
                await life.client.put(`${ADMIN}/themes/${other}/activate/`);
                await choose();
                await life.client.put(`${ADMIN}/themes/${active}/activate/`);
            }
            await life.client.stranger().get('/', { expect: 200 });
        },
    },
    {
        name: 'upload redirects and routes',
        async run(life) {
            const redirects = [{ from: `^/old-${life.tag}/?$`, to: '/', permanent: true }];
            await upload(life, '/redirects/upload/', 'redirects', 'redirects.json', 'application/json', JSON.stringify(redirects));
            await life.client.stranger().get(`/old-${life.tag}/`, { expect: 301 });
            const routes = (await life.client.get(`${ADMIN}/settings/routes/yaml/`)).text;
            check(routes.includes('collections:'), 'the routes that are downloaded name no collections');
            await upload(life, '/settings/routes/yaml/', 'routes', 'routes.yaml', 'text/yaml', routes);
            await life.client.get(`${ADMIN}/redirects/download/`);
        },
    },
    {
        name: 'change the owner’s profile and password',
        async run(life) {
            const { json } = await life.client.put(`${ADMIN}/users/${life.me.id}/?include=roles`, {
                users: [{ bio: `Gardener ${life.tag}`, location: 'Outside' }],
            });
            check(json.users[0].bio === `Gardener ${life.tag}`, 'the owner’s profile has not kept the text');
            const { owner } = life.session;
            const set = (from, to) =>
                life.client.put(`${ADMIN}/users/password/`, {
                    password: [{ user_id: life.me.id, oldPassword: from, newPassword: to, ne2Password: to }],
                });
            const other = `${owner.password}-x`;
            await set(owner.password, other);
            await set(other, owner.password);
            await life.client.get(`${ADMIN}/users/me/`);
        },
    },
    {
        // The site's own address: Ghost looks at what it recommends, and may be offline.
        name: 'recommend a site',
        needs: ['publish it, and read it as a visitor'],
        since: [5, 61],
        async run(life) {
            const fields = { title: `Neighbour ${life.tag}`, url: new URL(`/${life.made.post.slug}/`, life.site.url).href, description: null, one_click_subscribe: false };
            const { json } = await life.client.post(`${ADMIN}/recommendations/`, { recommendations: [fields] }, { expect: 201 });
            const { id } = json.recommendations[0];
            await life.client.put(`${ADMIN}/recommendations/${id}/`, { recommendations: [{ ...fields, description: 'Good soil' }] });
            await life.client.stranger().post(`/members/api/recommendations/${id}/clicked/`, {}, { expect: [200, 204] });
            const list = await life.client.get(`${ADMIN}/recommendations/?include=count.clicks,count.subscribers`);
            const listed = list.json.recommendations.find((r) => r.id === id);
            check(listed?.count?.clicks === 1, `the recommendation was clicked ${listed?.count?.clicks} times, not once`);
            await life.client.delete(`${ADMIN}/recommendations/${id}/`, { expect: 204 });
        },
    },
];

