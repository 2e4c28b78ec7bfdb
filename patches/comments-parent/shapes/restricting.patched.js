module.exports = {
    comments: {
        id: {type: 'string', maxlength: 24, nullable: false, primary: true},
        parent_id: (({ references, cascadeDelete, ...column }) => ({
            ...column,
            index: true
        }))({type: 'string', maxlength: 24, nullable: true, unique: false, references: 'comments.id'})
    }
};
