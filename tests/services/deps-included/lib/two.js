const { words } = require('./words');

exports.handler = async () => words.length;
