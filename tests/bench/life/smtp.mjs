// A mail server on loopback that keeps what it receives. It speaks as much SMTP
// as a mailer without TLS and without a password needs, and undoes the transfer
// encoding, so that a link in a message can be followed as it stands.
import net from 'node:net';

const GREETING = '220 loopback ESMTP\r\n';

// Bodies are read as bytes (latin1) until their own charset is known.
function decodeBody(encoding, body) {
    switch (encoding.trim().toLowerCase()) {
        case 'base64':
            return Buffer.from(body, 'base64').toString('utf8');
        case 'quoted-printable':
            return Buffer.from(
                body
                    .replace(/=\r?\n/g, '')
                    .replace(/=([0-9A-F]{2})/gi, (_, hex) => String.fromCharCode(parseInt(hex, 16))),
                'latin1',
            ).toString('utf8');
        default:
            return Buffer.from(body, 'latin1').toString('utf8');
    }
}

function decodeWords(header) {
    return header
        .replace(/(\?=)\s+(=\?)/g, '$1$2')
        .replace(/=\?utf-8\?([bq])\?([^?]*)\?=/gi, (_, kind, text) =>
            kind.toLowerCase() === 'b'
                ? Buffer.from(text, 'base64').toString('utf8')
                : decodeBody('quoted-printable', text.replace(/_/g, ' ')),
        );
}

function splitHeaders(source) {
    const end = source.search(/\r?\n\r?\n/);
    const head = end < 0 ? source : source.slice(0, end);
    const body = end < 0 ? '' : source.slice(end).replace(/^\r?\n\r?\n/, '');
    const headers = {};
    for (const line of head.replace(/\r?\n[ \t]+/g, ' ').split(/\r?\n/)) {
        const colon = line.indexOf(':');
        if (colon > 0) headers[line.slice(0, colon).toLowerCase()] = line.slice(colon + 1).trim();
    }
    return { headers, body };
}

// All parts' text, one after the other: who looks for a link wants any of them.
function textOf(source) {
    const { headers, body } = splitHeaders(source);
    const boundary = /boundary="?([^";]+)"?/i.exec(headers['content-type'] ?? '')?.[1];
    if (boundary === undefined) return decodeBody(headers['content-transfer-encoding'] ?? '', body);
    return body
        .split(`--${boundary}`)
        .slice(1)
        .filter((part) => !part.startsWith('--'))
        .map((part) => textOf(part.replace(/^\r?\n/, '')))
        .join('\n');
}

function readMessage(from, to, source) {
    const { headers } = splitHeaders(source);
    return { from, to, subject: decodeWords(headers.subject ?? ''), text: textOf(source), at: Date.now() };
}

function converse(socket, deliver) {
    let pending = '';
    let from = '';
    let to = [];
    let inData = false;
    socket.setEncoding('latin1');
    socket.on('error', () => {}); // a client that hangs up is no news
    socket.write(GREETING);
    socket.on('data', (chunk) => {
        pending += chunk;
        for (;;) {
            if (inData) {
                const end = pending.startsWith('.\r\n') ? 0 : pending.indexOf('\r\n.\r\n');
                if (end < 0) return;
                const source = pending.slice(0, end).replace(/(^|\r\n)\.\./g, '$1.');
                pending = pending.slice(end + (end === 0 ? 3 : 5));
                inData = false;
                deliver(readMessage(from, to, source));
                to = [];
                socket.write('250 kept\r\n');
                continue;
            }
            const end = pending.indexOf('\r\n');
            if (end < 0) return;
            const line = pending.slice(0, end);
            pending = pending.slice(end + 2);
            const verb = line.slice(0, 4).toUpperCase();
            if (verb === 'EHLO' || verb === 'HELO') socket.write('250 loopback\r\n');
            else if (verb === 'MAIL') {
                from = /<([^>]*)>/.exec(line)?.[1] ?? '';
                to = [];
                socket.write('250 ok\r\n');
            } else if (verb === 'RCPT') {
                to.push((/<([^>]*)>/.exec(line)?.[1] ?? '').toLowerCase());
                socket.write('250 ok\r\n');
            } else if (verb === 'DATA') {
                inData = true;
                socket.write('354 go on\r\n');
            } else if (verb === 'RSET' || verb === 'NOOP') socket.write('250 ok\r\n');
            else if (verb === 'QUIT') socket.end('221 bye\r\n');
            else socket.write('502 not here\r\n');
        }
    });
}

/**
 * Starts the receiver. `messages` grows as mail comes in: {from, to: [address],
 * subject, text, at}. `waitFor` answers the first message, already there or yet
 * to come, that the predicate accepts.
 */
export async function startSmtp(port = 0) {
    const messages = [];
    const waiting = new Set();
    const sockets = new Set();
    const server = net.createServer((socket) => {
        sockets.add(socket);
        socket.on('close', () => sockets.delete(socket));
        converse(socket, (message) => {
            messages.push(message);
            for (const look of [...waiting]) look();
        });
    });
    await new Promise((resolve, reject) => {
        server.once('error', reject);
        server.listen(port, '127.0.0.1', resolve);
    });

    function waitFor(predicate, ms) {
        return new Promise((resolve, reject) => {
            const look = () => {
                const found = messages.find(predicate);
                if (found === undefined) return;
                waiting.delete(look);
                clearTimeout(timer);
                resolve(found);
            };
            const timer = setTimeout(() => {
                waiting.delete(look);
                const seen = messages.map((m) => `${m.to.join(',')}: ${m.subject}`).join('; ') || 'none';
                reject(new Error(`no such mail within ${ms} ms; mails received: ${seen}`));
            }, ms);
            waiting.add(look);
            look();
        });
    }

    async function stop() {
        for (const socket of sockets) socket.destroy();
        await new Promise((resolve) => server.close(resolve));
    }

    return { port: server.address().port, messages, waitFor, stop };
}
