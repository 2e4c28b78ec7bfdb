// Loads the schema and reads it as Ghost's table maker does.
async (load, given, proof) => {
    const tables = load(() => proof.anything);
    const { parent_id: parent, ...columns } = tables.comments;
    if (given.ask === 'others') {
        const { cascadeDelete, setNullDelete, ...rest } = parent;
        return { settles: 'returns', schema: JSON.stringify({ ...tables, comments: columns }), parent: JSON.stringify(rest) };
    }
    return {
        settles: 'returns',
        cascadeDelete: parent.cascadeDelete === true,
        setNullDelete: parent.setNullDelete === true,
        nullable: parent.nullable === true,
        references: parent.references,
    };
}
