module.exports = ({ options }) => ({ n: 1e21, big: 2 ** 53, 'a b': options.nothing === undefined });
