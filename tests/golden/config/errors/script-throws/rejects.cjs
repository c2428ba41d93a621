module.exports = Promise.reject('a text');
