module.exports = Object.fromEntries(
  ['a', 'b'].map((name) => [name, { handler: `src/${name}.main`, environment: { NAME: name, N: 1 } }])
);
