const FixtureManager = require('./fixture-manager');
const config = require('../../../../shared/config');

module.exports.fixtureManager = new FixtureManager(require(config.get('paths').fixtures), {
    __OWNER_USER_ID__: models => models.User.generateId()
});
