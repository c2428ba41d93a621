const { chunk } = require('lodash');
const { words } = require('./lib/words');

exports.handler = async () => chunk(words, 2);
