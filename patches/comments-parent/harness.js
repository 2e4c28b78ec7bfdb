// Loads the schema and reads it as Ghost's table maker does.
async (load, given, proof) => {
    const tables = load(() => proof.anything);
    const { parent_id: parent, ...columns } = tables.comments;
    const { references, cascadeDelete, restrictDelete, setNullDelete, index, ...rest } = parent;
    if (given.ask === 'others') {
        return { settles: 'returns', schema: proof.digest(JSON.stringify({ ...tables, comments: columns })), parent: JSON.stringify(rest) };
    }
    // The first that it finds counts. Without a key there is nothing to say this of: knex throws.
    const deed = cascadeDelete ? 'cascades' : restrictDelete ? 'restricts' : setNullDelete ? 'sets null' : undefined;
    const key = references === undefined ? `none${deed ? `, ${deed}` : ''}` : `${references} ${deed ?? 'restricts'}`;
    return { settles: 'returns', key, indexed: index === true, nullable: rest.nullable === true };
}
