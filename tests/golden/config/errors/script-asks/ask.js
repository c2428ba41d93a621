module.exports = {
  missing: ({ resolveVariable }) => resolveVariable('self:custom.none'),
  cycle: ({ resolveConfigurationProperty }) => resolveConfigurationProperty(['custom', 'through']),
  itself: ({ resolveVariable }) => resolveVariable('file(ask.js):itself'),
  invalid: ({ resolveVariable }) => resolveVariable('self('),
  plain: ({ resolveVariable }) => resolveVariable('Custom'),
  keys: ({ resolveConfigurationProperty }) => resolveConfigurationProperty('custom.missing'),
  number: ({ resolveVariable }) => resolveVariable({}),
  rethrown: async ({ resolveVariable }) => {
    try {
      return await resolveVariable('env:NOT_SET');
    } catch (error) {
      throw new Error(`no table: ${error.message}`);
    }
  },
};
