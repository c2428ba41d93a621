module.exports = async ({ resolveVariable }) => {
  await resolveVariable('file(never.js)').catch(() => null);
  return new Promise(() => {});
};
