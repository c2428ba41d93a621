const functions = require('./functions');

module.exports = Promise.resolve({
  service: 'svc',
  provider: { name: 'aws', runtime: 'nodejs22.x', memorySize: 256 * 2, tags: undefined },
  params: { prod: { size: 1024 }, default: { size: 128 } },
  functions,
  custom: { stage: '${sls:stage}', size: '${param:size}', made: new Date(0), called: () => 1 },
  resources: { Resources: { Table: { Type: 'AWS::DynamoDB::Table', Properties: {
    TableName: '${self:service}-${sls:stage}',
    BillingMode: 'PAY_PER_REQUEST',
    AttributeDefinitions: [{ AttributeName: 'id', AttributeType: 'S' }],
    KeySchema: [{ AttributeName: 'id', KeyType: 'HASH' }],
  } } } },
});
