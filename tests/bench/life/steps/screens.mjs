// Every screen that is only read: the admin's lists and statistics, the site's pages
// and feeds. Their queries are the widest that Ghost has.
import { Skip, check } from '../client.mjs';
import { ADMIN } from '../session.mjs';

const today = () => new Date().toISOString().slice(0, 10);
const monthAgo = () => new Date(Date.now() - 30 * 86_400_000).toISOString().slice(0, 10);

/** Reads all; a path that this Ghost does not have answers 404 and is told in `absent`. Fails with every path that answered otherwise. */
async function readAll(life, client, paths) {
    const wrong = [];
    let read = 0;
    for (const path of paths) {
        try {
            const { status } = await client.get(path, { expect: [200, 204, 301, 302, 404] });
            if (status !== 404) read += 1;
            else life.absent.push(path);
        } catch (error) {
            wrong.push(error.message);
        }
    }
    check(wrong.length === 0, wrong.join('; '));
    if (read === 0) throw new Skip(`has none of ${paths.length} paths`);
    return read;
}

export const steps = [
    {
        name: 'read the admin’s lists',
        async run(life) {
            const lists = [
                'config/', 'settings/?group=site,theme,private,members,portal,newsletter', 'users/?include=roles,count.posts&limit=all',
                'posts/?limit=30&order=updated_at%20desc&formats=mobiledoc,lexical&include=tags,authors,authors.roles,email,tiers,newsletter,count.clicks,count.positive_feedback',
                'posts/?filter=status:%5Bpublished,sent%5D%2Bfeatured:false&limit=5', 'pages/?limit=30&include=tags,authors',
                'posts/export/?limit=100', 'tags/?limit=30&include=count.posts&filter=visibility:public', 'labels/?limit=all&include=count.members',
                'members/?limit=50&include=labels,emailRecipients&order=created_at%20desc', 'members/?search=nils&limit=10',
                `members/?filter=${encodeURIComponent(`status:free+created_at:>'${monthAgo()}'+last_seen_at:>'${monthAgo()}'`)}`,
                'members/stats/count/', 'members/stats/mrr/',
                'members/events/?limit=30', 'newsletters/?limit=50&include=count.active_members,count.posts', 'tiers/?include=monthly_price,yearly_price,benefits&limit=all',
                'offers/', 'snippets/?limit=all', 'integrations/?include=api_keys,webhooks&limit=all', 'invites/?limit=all', 'roles/?permissions=assign',
                'actions/?limit=30&include=actor,resource', 'notifications/', 'themes/', 'themes/active/', 'custom_theme_settings/', 'emails/?limit=5', 'mentions/?limit=10',
                'recommendations/?include=count.clicks,count.subscribers', 'incoming_recommendations/', 'automations/', 'automated_emails/',
                'slugs/post/garden/', 'slugs/tag/garden/', 'search-index/posts/', 'search-index/pages/', 'search-index/tags/', 'search-index/users/',
                'comments/?limit=20', 'redirects/download/', 'members/metafields/custom/',
                // Where it is not a path of its own, it is taken for a tier's id.
                ...(life.version.atLeast(6) ? ['tiers/checkout_config/'] : []),
            ];
            await readAll(life, life.client, lists.map((path) => `${ADMIN}/${path}`));
        },
    },
    {
        name: 'read the statistics',
        async run(life) {
            const range = `date_from=${monthAgo()}&date_to=${today()}&timezone=Etc/UTC`;
            const stats = [
                'member_count/', `member_count/?date_from=${monthAgo()}`, 'mrr/', 'subscriptions/', 'referrers/', 'subscriber-count/',
                `top-posts/?${range}&order=free_members%20desc`, `top-posts-views/?${range}&limit=5`, `top-sources-growth/?${range}`,
                `newsletter-stats/?${range}&order=date%20desc`, `newsletter-basic-stats/?${range}`, `newsletter-click-stats/?${range}`,
                ...(life.made.post ? ['stats', 'top-referrers', 'growth'].map((s) => `posts/${life.made.post.id}/${s}/`) : []),
                ...(life.made.post ? [`referrers/posts/${life.made.post.id}/`] : []),
            ];
            await readAll(life, life.client, stats.map((path) => `${ADMIN}/stats/${path}`));
        },
    },
    {
        name: 'read the site’s pages, feed and sitemaps',
        needs: ['publish it, and read it as a visitor'],
        async run(life) {
            const pages = [
                '/', '/page/2/', `/tag/${life.made.tags[0].slug}/`, `/author/${life.me.slug}/`, `/${life.made.post.slug}/`, '/rss/',
                `/tag/${life.made.tags[0].slug}/rss/`, '/sitemap.xml', '/sitemap-posts.xml', '/sitemap-pages.xml', '/sitemap-tags.xml', '/sitemap-authors.xml',
                '/robots.txt', '/ghost/', '/members/api/site/', '/.well-known/jwks.json', `/p/${life.made.post.uuid}/`,
            ];
            await readAll(life, life.client.stranger(), pages);
            const feed = await life.client.stranger().get('/rss/', { expect: 200 });
            check(feed.text.includes(life.made.post.title), 'the feed lacks the published post');
        },
    },
    {
        name: 'read pages and give feedback as a member',
        needs: ['publish it, and read it as a visitor', 'sign up three members by the link in the mail'],
        async run(life) {
            const { Pia } = life.made.members;
            const paths = ['/', `/${life.made.post.slug}/`, '/members/api/member/', '/members/api/session/', '/members/api/announcement/'];
            await readAll(life, Pia.client, paths);
            const vote = { feedback: [{ post_id: life.made.post.id, score: 1 }] };
            await Pia.client.post('/members/api/feedback/', vote, { expect: 201 });
            await life.client.get(`${ADMIN}/feedback/${life.made.post.id}/`, { expect: [200, 404] });
        },
    },
];
