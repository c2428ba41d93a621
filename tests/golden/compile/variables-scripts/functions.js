module.exports = async ({ resolveConfigurationProperty }) => {
  const runtime = await resolveConfigurationProperty(['provider', 'runtime']);
  return Object.fromEntries(
    ['list', 'read'].map((name) => [
      name,
      { handler: `handler.${name}`, description: `${name} by ${runtime}`, events: [{ http: `GET /${name}` }, { schedule: 'rate(1 day)' }] },
    ])
  );
};
