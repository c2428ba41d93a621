const { text } = require('./values');

module.exports = async ({ resolveVariable, resolveConfigurationProperty }) => {
  const together = await Promise.all([
    resolveVariable('self:custom.slow'),
    resolveVariable('self:custom.needs'),
    resolveConfigurationProperty(['custom', 'slow']),
  ]);
  return {
    required: text,
    together,
    map: await resolveConfigurationProperty(['custom', 'map']),
    item: await resolveConfigurationProperty(['custom', 'list', '1']),
    missing: (await resolveConfigurationProperty(['custom', 'none', 'deeper'])) === undefined,
    fallback: await resolveVariable("env:NOT_SET, self:custom.none, 'fallback'"),
    other: await resolveVariable('file(./values.js):deep.er'),
    caught: await resolveVariable('self:custom.none').catch(() => 'caught'),
    param: await resolveVariable('param:size'),
    left: '${self:custom.map.x}',
    "${self:custom.map.x}": 'keys stay',
  };
};
