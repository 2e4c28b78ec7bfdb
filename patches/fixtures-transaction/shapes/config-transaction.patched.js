const {fixtureManager} = require('../../schema/fixtures');

module.exports.config = {
    transaction: false
};

module.exports.up = function up(options) {
    return fixtureManager.addAllFixtures(options);
};
