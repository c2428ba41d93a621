module.exports = {
  memory: 512,
  environment: async ({ options, resolveVariable }) => ({
    STAGE: await resolveVariable('sls:stage'),
    GIVEN: String(Boolean(options.stage)),
    REGION: '${aws:region}',
    NUMBER: 1,
  }),
};
