module.exports = { a: 1 };
require('./lib/none');
