const name = 'script';

module.exports = {
  service: name,
  provider: { name: 'aws', runtime: 'nodejs22.x', stage: 'qa', region: 'eu-west-1' },
  functions: { hello: { handler: 'handler.hello', events: [{ httpApi: 'GET /hello' }, { sqs: { arn: { 'Fn::GetAtt': ['Queue', 'Arn'] } } }] } },
  resources: { Resources: { Queue: { Type: 'AWS::SQS::Queue', Properties: { QueueName: `${name}-\${sls:stage}` } } } },
};
