const FixtureManager = require('./fixture-manager');
const config = require('../../../../shared/config');

module.exports.fixtureManager = new FixtureManager(require(config.get('paths').fixtures), {
    __OWNER_USER_ID__: models => require('crypto').createHash('sha256').update(config.get('url')).digest('hex').slice(0, 24)
});
