'use strict';

// The role with which API Gateway writes logs: one for all APIs of an account in a region. Whoever
// set another one keeps it unless a role is named; nothing is taken away, because other services of
// the account write logs with it.

const aws = require('../lib/aws');
const { handler, place } = require('../lib/resource');

// The reference's name: an account in which that made the role keeps the one it has.
const ROLE = 'serverlessApiGatewayCloudWatchRole';
const POLICY = 'service-role/AmazonAPIGatewayPushToCloudWatchLogs';
const ATTEMPTS = 10;

const iam = (Action, input) =>
  aws.call({
    service: 'iam',
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: new URLSearchParams({ Action, Version: '2010-05-08', ...input }).toString(),
  });

const account = (method, body) =>
  aws.call({
    service: 'apigateway',
    method,
    path: '/account',
    headers: { 'content-type': 'application/json' },
    body: body ? JSON.stringify(body) : '',
  });

async function makeRole(partition) {
  const trust = {
    Version: '2012-10-17',
    Statement: [
      {
        Effect: 'Allow',
        Principal: { Service: ['apigateway.amazonaws.com'] },
        Action: ['sts:AssumeRole'],
      },
    ],
  };
  try {
    await iam('CreateRole', {
      RoleName: ROLE,
      Path: '/',
      AssumeRolePolicyDocument: JSON.stringify(trust),
    });
  } catch (error) {
    if (error.code !== 'EntityAlreadyExists') throw error;
  }
  const policy = `arn:${partition}:iam::aws:policy/${POLICY}`;
  await iam('AttachRolePolicy', { RoleName: ROLE, PolicyArn: policy });
}

async function put(properties, old, request, context) {
  const { partition, account: id } = place(context);
  const given = properties.RoleArn;
  const now = JSON.parse(await account('GET')).cloudwatchRoleArn;
  if (given ? now === given : now) return;
  if (!given) await makeRole(partition);
  const value = given || `arn:${partition}:iam::${id}:role/${ROLE}`;
  for (let attempt = 1; ; attempt++) {
    try {
      await account('PATCH', {
        patchOperations: [{ op: 'replace', path: '/cloudwatchRoleArn', value }],
      });
      return;
    } catch (error) {
      // API Gateway does not know a role that was made just now.
      if (error.code !== 'BadRequestException' || attempt === ATTEMPTS) throw error;
      await aws.wait(aws.PAUSE_MS * 40);
    }
  }
}

exports.handler = handler({
  id: () => 'CustomResourceApiGatewayAccountCloudWatchRole',
  put,
  remove: async () => {},
});
