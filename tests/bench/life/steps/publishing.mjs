// Newsletters, tiers, offers and snippets: what a site publishes with and sells, as
// far as that goes without a payment provider and a bulk mailer.
import crypto from 'node:crypto';
import { Skip, check, until } from '../client.mjs';
import { startMailgun } from '../mailgun.mjs';
import { ADMIN } from '../session.mjs';
import { edit, lexical } from './content.mjs';
import { followMagicLink } from './members.mjs';

const SENDING_LIMIT_MS = 120_000;

/** A resource's own life: POST, PUT, GET; answers what the last request answered. */
async function createAndEdit(life, kind, fields, change, query = '') {
    const { json, status } = await life.client.post(`${ADMIN}/${kind}/${query}`, { [kind]: [fields] });
    check([200, 201].includes(status), `creating one of the ${kind} answered ${status}`);
    const { id, updated_at } = json[kind][0];
    await life.client.put(`${ADMIN}/${kind}/${id}/`, { [kind]: [{ ...change, updated_at }] });
    const read = (await life.client.get(`${ADMIN}/${kind}/${id}/`)).json[kind][0];
    for (const [name, value] of Object.entries(change)) {
        check(
            JSON.stringify(read[name]) === JSON.stringify(value),
            `${name} is ${JSON.stringify(read[name])} after setting it to ${JSON.stringify(value)}`,
        );
    }
    return read;
}

const change = async (life, kind, id, fields) =>
    (await life.client.put(`${ADMIN}/${kind}/${id}/`, { [kind]: [fields] })).json[kind][0];

export const steps = [
    {
        name: 'create and edit a newsletter, subscribing all members',
        needs: ['sign up three members by the link in the mail'],
        async run(life) {
            const fields = { name: `Weekly ${life.tag}`, description: 'Once a week', subscribe_on_signup: true };
            const edits = { description: 'Every week', title_alignment: 'left', show_badge: false };
            const query = '?opt_in_existing=true';
            life.made.newsletter = await createAndEdit(life, 'newsletters', fields, edits, query);
            const { Pia } = life.made.members;
            const member = (await life.client.get(`${ADMIN}/members/${Pia.id}/`)).json.members[0];
            check(
                member.newsletters.some(({ id }) => id === life.made.newsletter.id),
                'a member who was subscribed has not got the new newsletter',
            );
        },
    },
    {
        name: 'preview a post as an email',
        needs: ['publish it, and read it as a visitor'],
        async run(life) {
            const { json } = await life.client.get(`${ADMIN}/email_previews/posts/${life.made.post.id}/`);
            check(json.email_previews[0].html.includes('Beans'), 'the preview lacks the post');
        },
    },
    {
        name: 'send a post to the members as a newsletter',
        needs: ['create and edit a newsletter, subscribing all members'],
        async run(life) {
            const mailgun = await startMailgun();
            const configure = (domain, key, url) =>
                life.client.put(`${ADMIN}/settings/`, {
                    settings: [
                        { key: 'mailgun_domain', value: domain },
                        { key: 'mailgun_api_key', value: key },
                        { key: 'mailgun_base_url', value: url },
                    ],
                });
            try {
                await configure('loopback.example', 'no-secret', mailgun.url);
                const { json } = await life.client.post(
                    `${ADMIN}/posts/`,
                    { posts: [{ title: `Mailed ${life.tag}`, lexical: lexical('To all of you.') }] },
                    { expect: 201 },
                );
                const { slug } = life.made.newsletter;
                const query = `?newsletter=${slug}&email_segment=all&include=email`;
                const post = await edit(life, 'posts', json.posts[0], { status: 'published' }, query);
                check(post.email, 'publishing with a newsletter has made no email');
                const email = await until('the email, submitted', SENDING_LIMIT_MS, async () => {
                    const { emails } = (await life.client.get(`${ADMIN}/emails/${post.email.id}/`)).json;
                    check(emails[0].status !== 'failed', `the email failed: ${emails[0].error}`);
                    return emails[0].status === 'submitted' ? emails[0] : undefined;
                });
                check(email.email_count > 0, 'the email has no recipients');
                check(
                    mailgun.sent.length === email.email_count,
                    `${mailgun.sent.length} of ${email.email_count} recipients were sent to`,
                );
                await life.client.get(`${ADMIN}/emails/${email.id}/batches/`);
                await life.client.get(`${ADMIN}/emails/${email.id}/recipient-failures/`);
                await life.client.get(`${ADMIN}/posts/${post.id}/?include=email,newsletter,count.clicks,count.positive_feedback`);
                await life.client.delete(`${ADMIN}/posts/${post.id}/`, { expect: 204 });
            } finally {
                await configure(null, null, null);
                await mailgun.stop();
            }
        },
    },
    {
        name: 'reorder newsletters, archive one',
        needs: ['create and edit a newsletter, subscribing all members'],
        async run(life) {
            const { id } = life.made.newsletter;
            await change(life, 'newsletters', id, { sort_order: 5 });
            const archived = await change(life, 'newsletters', id, { status: 'archived' });
            check(archived.status === 'archived', `the newsletter is ${archived.status}, not archived`);
            const filter = encodeURIComponent('status:active');
            const { json } = await life.client.get(`${ADMIN}/newsletters/?filter=${filter}&include=count.members,count.posts`);
            check(json.newsletters.every((n) => n.id !== id), 'the archived newsletter is among the active ones');
        },
    },
    {
        // Ghost 6.65.0 keeps it, but runs it only with the private flag `automations`.
        name: 'change the automation that welcomes members',
        needs: ['sign up three members by the link in the mail'],
        async run(life) {
            const { status, json } = await life.client.get(`${ADMIN}/automations/`, { expect: [200, 404] });
            if (status === 404) throw new Skip('has no automations');
            const found = json.automations.find(({ slug }) => slug === 'member-welcome-email-free') ?? json.automations[0];
            const path = `${ADMIN}/automations/${found.id}/`;
            const emails = (await life.client.get(`${ADMIN}/automated_emails/`)).json.automated_emails;
            const design = emails.find(({ email_design_setting_id: id }) => id)?.email_design_setting_id;
            const id = () => crypto.randomBytes(12).toString('hex');
            const mail = (subject) => ({
                id: id(),
                type: 'send_email',
                data: { email_subject: subject, email_lexical: lexical(subject), email_design_setting_id: design },
            });
            const actions = [
                mail(`Welcome ${life.tag}`),
                { id: id(), type: 'wait', data: { wait_hours: 24 } },
                mail(`Still there ${life.tag}`),
            ];
            const edges = [
                { source_action_id: actions[0].id, target_action_id: actions[1].id },
                { source_action_id: actions[1].id, target_action_id: actions[2].id },
            ];
            const put = async (status) => {
                const answer = await life.client.put(path, { automations: [{ status, actions, edges }] }, { expect: [200, 404] });
                // In early 6.x automations could be read, not yet changed.
                if (answer.status === 404) throw new Skip('has automations, but no way to change them');
                return answer;
            };
            const active = (await put('active')).json.automations[0];
            check(active.status === 'active', `the automation is ${active.status}, not active`);
            const who = { name: `Tom ${life.tag}`, email: `tom-${life.tag}@example.com` };
            await followMagicLink(life, life.client.stranger(), who, 'signup');
            await put('inactive');
        },
    },
    {
        name: 'create, edit and archive a tier',
        async run(life) {
            const fields = {
                name: `Gold ${life.tag}`,
                description: 'All of it',
                monthly_price: 500,
                yearly_price: 5000,
                currency: 'usd',
                benefits: ['Seeds', 'Tools'],
            };
            const edits = { description: 'Really all of it', benefits: ['Seeds', 'Tools', 'Rain'], monthly_price: 600 };
            life.made.tier = await createAndEdit(life, 'tiers', fields, edits);
            const other = await createAndEdit(life, 'tiers', { ...fields, name: `Silver ${life.tag}` }, { active: false });
            check(other.active === false, 'the archived tier is active');
        },
    },
    {
        // Giving it to a member who is there, and taking it away, are left undone by a Ghost without Stripe.
        name: 'add a member with a tier for nothing, and delete the member',
        needs: ['create, edit and archive a tier'],
        async run(life) {
            const fields = { email: `guest-${life.tag}@example.com`, tiers: [{ id: life.made.tier.id }] };
            const { json } = await life.client.post(`${ADMIN}/members/`, { members: [fields] }, { expect: 201 });
            const { id, status } = json.members[0];
            check(status === 'comped', `the member with a tier is ${status}, not comped`);
            const filter = encodeURIComponent(`tier_id:'${life.made.tier.id}'`);
            const guests = (await life.client.get(`${ADMIN}/members/?filter=${filter}`)).json.members;
            check(guests.length === 1, `${guests.length} members have the tier, not 1`);
            await life.client.delete(`${ADMIN}/members/${id}/`, { expect: 204 });
        },
    },
    {
        name: 'create, edit and archive an offer',
        needs: ['create, edit and archive a tier'],
        async run(life) {
            const fields = {
                name: `Spring ${life.tag}`,
                code: `spring-${life.tag}`,
                display_title: 'Spring',
                display_description: 'A quarter off',
                cadence: 'year',
                amount: 25,
                duration: 'once',
                duration_in_months: null,
                currency_restriction: false,
                currency: null,
                type: 'percent',
                status: 'active',
                tier: { id: life.made.tier.id, name: life.made.tier.name },
            };
            const edits = { display_title: 'Late spring', name: `Late spring ${life.tag}` };
            const offer = await createAndEdit(life, 'offers', fields, edits);
            const archived = await change(life, 'offers', offer.id, { status: 'archived' });
            check(archived.status === 'archived', `the offer is ${archived.status}, not archived`);
            const { json } = await life.client.get(`${ADMIN}/offers/`);
            check(json.offers.some(({ id }) => id === offer.id), 'the offer is not listed');
        },
    },
    {
        name: 'create, edit and delete snippets',
        async run(life) {
            const mobiledoc = '{"version":"0.3.1","atoms":[],"cards":[],"markups":[],"sections":[[1,"p",[[0,[],0,"Snip"]]]]}';
            const fields = { name: `Greeting ${life.tag}`, mobiledoc };
            const snippet = await createAndEdit(life, 'snippets', fields, { name: `Farewell ${life.tag}`, mobiledoc });
            await life.client.delete(`${ADMIN}/snippets/${snippet.id}/`, { expect: 204 });
            await life.client.get(`${ADMIN}/snippets/${snippet.id}/`, { expect: 404 });
        },
    },
];
