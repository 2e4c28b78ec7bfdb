const ghostBookshelf = require('./base');

const Session = ghostBookshelf.Model.extend({
    tableName: 'sessions'
}, {
    destroyAll() {
        return ghostBookshelf.knex('sessions').del();
    }
});

module.exports = {Session};
