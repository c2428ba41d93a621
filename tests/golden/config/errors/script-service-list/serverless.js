module.exports = [1];
