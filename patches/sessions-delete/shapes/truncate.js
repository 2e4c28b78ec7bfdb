const ghostBookshelf = require('./base');

const Session = ghostBookshelf.Model.extend({
    tableName: 'sessions'
}, {
    destroyAll() {
        return ghostBookshelf.knex('sessions').truncate();
    }
});

module.exports = {Session};
