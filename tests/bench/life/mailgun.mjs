// A stand-in for the bulk mailer: takes what Ghost posts to Mailgun and answers as
// Mailgun does, with no events ever. So a newsletter can be sent to all members.
import http from 'node:http';

/** Answers {url, sent: [recipient], stop()}; `sent` grows as Ghost sends. */
export async function startMailgun() {
    const sent = [];
    const server = http.createServer((request, response) => {
        const chunks = [];
        request.on('data', (chunk) => chunks.push(chunk));
        request.on('end', () => {
            const body = Buffer.concat(chunks).toString('utf8');
            response.setHeader('content-type', 'application/json');
            if (request.method === 'POST' && /\/messages(\.mime)?$/.test(request.url)) {
                for (const [, to] of body.matchAll(/name="to"\r\n\r\n([^\r\n]+)/g)) sent.push(...to.split(',').map((t) => t.trim()));
                response.end(JSON.stringify({ id: `<${Date.now()}@loopback.example>`, message: 'Queued. Thank you.' }));
            } else {
                response.end(JSON.stringify({ items: [], paging: {} }));
            }
        });
    });
    await new Promise((resolve, reject) => {
        server.once('error', reject);
        server.listen(0, '127.0.0.1', resolve);
    });
    async function stop() {
        server.closeAllConnections();
        await new Promise((resolve) => server.close(resolve));
    }
    return { url: `http://127.0.0.1:${server.address().port}/v3`, sent, stop };
}
