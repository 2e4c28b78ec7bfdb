// Loads the fixtures as several processes would, and asks each for its owner's id.
async (load, given, proof) => {
    let drawn = 0;
    const id = (number) => number.toString(16).padStart(24, '0');
    const models = { User: { generateId: () => id(++drawn) } };
    // A digest of 64 figures; what it makes of a text has only to depend on the text.
    const createHash = () => {
        let state = 7;
        return {
            update(text) {
                for (const c of String(text)) state = (state * 31 + c.codePointAt(0)) % 0xfffffffb;
                return this;
            },
            digest: () => state.toString(16).padStart(8, '0').repeat(8),
        };
    };
    class FixtureManager {
        constructor(fixtures, replacements) {
            Object.assign(this, { fixtures, replacements });
        }
    }
    const start = (url) => {
        const config = { get: (key) => ({ url, paths: { fixtures: 'fixtures.json' } })[key] };
        return load((name) => {
            if (/fixture-?manager/i.test(name)) return FixtureManager;
            if (/shared\/config$/.test(name)) return config;
            if (/^(node:)?crypto$/.test(name)) return { createHash };
            return { models: [] };
        });
    };
    const managers = given.urls.map((url) => start(url));
    if (given.ask === 'rest') {
        const [subject] = managers;
        const { fixtures, replacements } = subject.fixtureManager;
        return { settles: 'returns', exports: Object.keys(subject), fixtures, replaced: Object.keys(replacements) };
    }
    const ids = managers.map(({ fixtureManager }) => fixtureManager.replacements.__OWNER_USER_ID__(models));
    return { settles: 'returns', same: ids[0] === ids[1], ids: ids.every((one) => /^[0-9a-f]{24}$/.test(one)) };
}
