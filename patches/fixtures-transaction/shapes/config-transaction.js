const {fixtureManager} = require('../../schema/fixtures');

module.exports.config = {
    transaction: true
};

module.exports.up = function up(options) {
    return fixtureManager.addAllFixtures(options);
};
