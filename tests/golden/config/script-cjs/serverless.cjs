module.exports = { service: 'svc', provider: { name: 'aws', stage: 'qa' }, custom: { a: '${file(value.js)}', stage: '${sls:stage}' } };
