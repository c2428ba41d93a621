module.exports = {
  service: 'svc',
  provider: { name: 'aws', memorySize: 5 },
  functions: { a: { handler: 'a.main', timeout: 5000 }, b: { handler: 'b.main', memorySize: '${self:custom.none}' } },
};
