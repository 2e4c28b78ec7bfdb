// What a statement that arrived at the server changes, in the words of
// `migrations[].changes`. Written apart from ghostfix's own reading of SQL: it is its judge.

function tokenise(sql) {
    const tokens = [];
    const pattern = /`((?:[^`]|``)*)`|'((?:[^'\\]|\\.|'')*)'|"((?:[^"\\]|\\.)*)"|([\w$@]+)|(\S)/gsu;
    for (const [, name, single, double, word, sign] of sql.matchAll(pattern)) {
        if (name !== undefined) tokens.push({name});
        else if (single !== undefined || double !== undefined) tokens.push({text: true});
        else if (word !== undefined) tokens.push({name: word, word: word.toLowerCase()});
        else tokens.push({sign});
    }
    return tokens;
}

// The parts between commas outside of parentheses.
function parts(tokens) {
    const out = [[]];
    let depth = 0;
    for (const t of tokens) {
        if (t.sign === '(') depth++;
        if (t.sign === ')') depth--;
        if (t.sign === ',' && depth === 0) out.push([]);
        else out.at(-1).push(t);
    }
    return out.filter((p) => p.length);
}

// The tokens within the first parentheses, and those after them.
function inParentheses(tokens) {
    const open = tokens.findIndex((t) => t.sign === '(');
    if (open < 0) return [[], tokens];
    let depth = 0;
    for (let i = open; i < tokens.length; i++) {
        if (tokens[i].sign === '(') depth++;
        if (tokens[i].sign === ')' && --depth === 0) return [tokens.slice(open + 1, i), tokens.slice(i + 1)];
    }
    return [tokens.slice(open + 1), []];
}

const names = (tokens) => parts(inParentheses(tokens)[0]).map((p) => p[0].name);
const sorted = (columns) => [...columns].sort().join(',');

// A table's name at the start, after its database's.
function table(tokens) {
    const skip = tokens.findIndex((t) => !['if', 'not', 'exists', 'table', 'into', 'ignore', 'only'].includes(t.word));
    const rest = tokens.slice(skip);
    return rest[1]?.sign === '.' ? [rest[2].name, rest.slice(3)] : [rest[0].name, rest.slice(1)];
}

function definition(t, tokens) {
    const words = tokens.map((x) => x.word);
    if (words.includes('foreign') && words.includes('references')) {
        const columns = names(tokens.slice(words.indexOf('foreign')));
        const after = tokens.slice(words.indexOf('references') + 1);
        const [parent, rest] = table(after);
        return [`add-foreign-key ${t}(${columns[0]}) ${parent}.${names(rest)[0]}`];
    }
    if (tokens[0].word === 'primary') return [`add-primary-key ${t}`];
    if (words[0] === 'constraint' && words.includes('primary')) return [`add-primary-key ${t}`];
    if (['unique', 'index', 'key', 'fulltext'].includes(words[0]) || (words[0] === 'constraint' && words.includes('unique'))) {
        const kind = words.includes('unique') ? 'add-unique' : 'add-index';
        return [`${kind} ${t}(${names(tokens).join(',')})`];
    }
    const rest = tokens[0].word === 'column' ? tokens.slice(1) : tokens;
    const found = [`add-column ${t}.${rest[0].name}`];
    if (rest.some((x, i) => x.word === 'primary' && rest[i + 1]?.word === 'key')) found.push(`add-primary-key ${t}`);
    return found;
}

function clause(t, tokens) {
    const [verb, what] = [tokens[0].word, tokens[1]?.word];
    const rest = tokens.slice(1);
    switch (verb) {
    case 'add': return definition(t, rest);
    case 'drop':
        if (what === 'foreign') return [`drop-foreign-key ${t}`];
        if (what === 'primary') return [`drop-primary-key ${t}`];
        if (what === 'index' || what === 'key') return [`drop-index ${t}`];
        return [`drop-column ${t}.${(what === 'column' ? rest[1] : rest[0]).name}`];
    case 'modify': case 'alter': return [`alter-column ${t}.${(what === 'column' ? rest[1] : rest[0]).name}`];
    case 'change': {
        const [from, to] = what === 'column' ? rest.slice(1) : rest;
        return [from.name === to.name ? `alter-column ${t}.${to.name}` : `rename-column ${t}.${from.name} ${to.name}`];
    }
    case 'rename':
        if (what === 'column') return [`rename-column ${t}.${rest[1].name} ${rest[3].name}`];
        if (what === 'index' || what === 'key') return [`alter-table ${t}`];
        return [`rename-table ${t} ${rest.at(-1).name}`];
    case 'algorithm': case 'lock': return [];
    default: return [`alter-table ${t}`];
    }
}

// The changes that a statement makes; none for one that only asks.
export function changes(sql) {
    const tokens = tokenise(sql.replace(/\/\*.*?\*\//gs, ' ').replace(/;\s*$/, ''));
    const rest = tokens.slice(1);
    switch (tokens[0]?.word) {
    case 'create': {
        const at = tokens.findIndex((t) => ['table', 'view', 'index'].includes(t.word));
        const kind = tokens[at]?.word;
        if (kind === 'view') return [`create-view ${table(tokens.slice(at + 1))[0]}`];
        if (kind === 'index') {
            const [t, more] = table(tokens.slice(tokens.findIndex((x) => x.word === 'on') + 1));
            return [`${tokens[1].word === 'unique' ? 'add-unique' : 'add-index'} ${t}(${names(more).join(',')})`];
        }
        if (kind !== 'table') return [`unknown ${sql.slice(0, 60)}`];
        const [t, more] = table(tokens.slice(at + 1));
        return [`create-table ${t}`, ...parts(inParentheses(more)[0]).flatMap((p) => definition(t, p))];
    }
    case 'alter': {
        if (rest[0].word === 'view') return [`create-view ${table(rest.slice(1))[0]}`];
        const [t, more] = table(rest);
        return parts(more).flatMap((p) => clause(t, p));
    }
    case 'drop':
        if (rest[0].word === 'index') return [`drop-index ${rest.at(-1).name}`];
        return [`drop-${rest[0].word} ${table(rest.slice(1))[0]}`];
    case 'rename': {
        const [from, more] = table(rest);
        return [`rename-table ${from} ${table(more.slice(1))[0]}`];
    }
    case 'truncate': return [`truncate ${table(rest)[0]}`];
    case 'insert': case 'replace': {
        const [t, more] = table(rest);
        return [`insert ${t} ${sorted(more[0]?.sign === '(' ? names(more) : [])}`];
    }
    case 'update': {
        const [t, more] = table(rest);
        const set = more.findIndex((x) => x.word === 'set');
        let depth = 0;
        const end = more.findIndex((x, i) => {
            if (x.sign === '(') depth++;
            if (x.sign === ')') depth--;
            return i > set && depth === 0 && ['where', 'order', 'limit'].includes(x.word);
        });
        const assigned = parts(more.slice(set + 1, end < 0 ? undefined : end))
            .map((p) => p[p.findIndex((x) => x.sign === '=') - 1].name);
        return [`update ${t} ${sorted(assigned)}`];
    }
    case 'delete': {
        const from = rest.findIndex((x) => x.word === 'from');
        const [first] = table(rest.slice(from + 1));
        if (from === 0) return [`delete ${first}`];
        // DELETE alias FROM table AS alias: the table that the alias stands for.
        const plain = rest.slice(from + 1).filter((x) => x.word !== 'as');
        const at = plain.findIndex((x, i) => i > 0 && x.name === rest[0].name && plain[i - 1].name);
        return [`delete ${at > 0 ? plain[at - 1].name : first}`];
    }
    case 'with': {
        const at = tokens.findIndex((t) => ['insert', 'update', 'delete'].includes(t.word));
        return at < 0 ? [] : changes(sql.slice(sql.toLowerCase().search(new RegExp(`\\b${tokens[at].word}\\b`))));
    }
    case 'select': case 'show': case 'set': case 'begin': case 'start': case 'commit': case 'rollback': case 'savepoint':
    case 'release': case 'describe': case 'explain': case 'analyze': case 'use': case undefined: return [];
    default: return [`unknown ${sql.slice(0, 60)}`];
    }
}

// A predicted change in the same words. What a key is called when it is dropped is the server's affair; columns that
// only show at run time are no part of it.
export function predicted({kind, table: t, columns = [], to}) {
    t ??= '?';
    switch (kind) {
    case 'add-column': case 'drop-column': case 'alter-column': return `${kind} ${t}.${columns[0]}`;
    case 'rename-column': return `${kind} ${t}.${columns[0]} ${to}`;
    case 'rename-table': return `${kind} ${t} ${to}`;
    case 'add-index': case 'add-unique': return `${kind} ${t}(${columns.join(',')})`;
    case 'add-foreign-key': return `${kind} ${t}(${columns[0]}) ${to}`;
    case 'drop-unique': return `drop-index ${t}`;
    case 'insert': case 'update': return `${kind} ${t} ${sorted(columns)}`;
    default: return `${kind} ${t}`;
    }
}

// Whether a predicted INSERT or UPDATE is the one that arrived, where the prediction leaves columns open.
export function writes({kind, table: t, columns = [], columns_perhaps: perhaps = [], more_columns: more = false}, arrived) {
    if ((kind !== 'insert' && kind !== 'update') || (perhaps.length === 0 && !more)) return false;
    const [verb, where, list = ''] = arrived.split(' ');
    const found = list.split(',');
    return verb === kind && where === t && columns.every((c) => found.includes(c))
        && (more || found.every((c) => columns.includes(c) || perhaps.includes(c)));
}
