'use strict';

// Triggers of a user pool that exists already.

const aws = require('../lib/aws');
const permission = require('../lib/permission');
const { functionArn, handler, place, settle } = require('../lib/resource');

const PRINCIPAL = 'cognito-idp.amazonaws.com';
const SENDERS = ['CustomSMSSender', 'CustomEmailSender'];
// What a pool says of itself and UpdateUserPool does not take. All else is sent back: what is left
// out is set to its default. Source: Cognito API reference, UserPoolType and UpdateUserPool.
const NOT_SENT = [
  'Id',
  'Name',
  'Arn',
  'Status',
  'LastModifiedDate',
  'CreationDate',
  'SchemaAttributes',
  'AliasAttributes',
  'UsernameAttributes',
  'UsernameConfiguration',
  'EstimatedNumberOfUsers',
  'SmsConfigurationFailure',
  'EmailConfigurationFailure',
  'Domain',
  'CustomDomain',
];

const cognito = (operation, input) =>
  aws.json('cognito-idp', 'AWSCognitoIdentityProviderService', operation, input);

// The pool called `name`, as it is; undefined when there is none. Names need not be unique: with
// two of them nobody can tell which one is meant.
async function find(name) {
  const found = [];
  let NextToken;
  do {
    const page = await cognito('ListUserPools', { MaxResults: 60, NextToken });
    found.push(...(page.UserPools || []).filter((pool) => pool.Name === name));
    NextToken = page.NextToken;
  } while (NextToken);
  if (found.length > 1)
    throw new Error(
      `there are ${found.length} user pools called '${name}': ${found.map((p) => p.Id).join(', ')}`
    );
  return found[0];
}

const describe = async (id) => (await cognito('DescribeUserPool', { UserPoolId: id })).UserPool;

// Triggers of a pool: {trigger: {arn, version}}. PreTokenGeneration has two forms; Cognito shows
// both when a version is set.
function triggersOf(config = {}) {
  const out = {};
  for (const [name, value] of Object.entries(config)) {
    if (name === 'KMSKeyID') continue;
    if (name === 'PreTokenGenerationConfig')
      out.PreTokenGeneration = { arn: value.LambdaArn, version: value.LambdaVersion };
    else if (typeof value === 'object')
      out[name] = { arn: value.LambdaArn, version: value.LambdaVersion };
    else if (!out[name]) out[name] = { arn: value };
  }
  return out;
}

function configOf(triggers, key) {
  const out = {};
  for (const [name, { arn, version }] of Object.entries(triggers)) {
    const versioned = { LambdaArn: arn, LambdaVersion: version };
    if (name === 'PreTokenGeneration') {
      out[name] = arn;
      if (version) out.PreTokenGenerationConfig = versioned;
    } else {
      out[name] = version ? versioned : arn;
    }
  }
  if (key && SENDERS.some((sender) => out[sender])) out.KMSKeyID = key;
  return out;
}

// What has to be sent so that nothing but LambdaConfig changes.
function update(pool, config) {
  const input = { ...pool, UserPoolId: pool.Id, LambdaConfig: config };
  for (const member of NOT_SENT) delete input[member];
  // The older name of a setting of the password policy, which is refused beside the newer one.
  if (((input.Policies || {}).PasswordPolicy || {}).TemporaryPasswordValidityDays !== undefined) {
    const { UnusedAccountValidityDays, ...rest } = input.AdminCreateUserConfig || {};
    input.AdminCreateUserConfig = rest;
  }
  return input;
}

const isSame = (x, y) =>
  JSON.stringify(Object.entries(x).sort()) === JSON.stringify(Object.entries(y).sort());

// `pool` with the triggers `configs` of `arn` in place of those of `arns`; null: it is so already.
function changed(pool, arns, arn, configs) {
  const before = pool.LambdaConfig || {};
  const triggers = triggersOf(before);
  let key = before.KMSKeyID;
  for (const [name, trigger] of Object.entries(triggers))
    if (arns.includes(trigger.arn)) delete triggers[name];
  for (const { Trigger: name, LambdaVersion: version, KMSKeyID } of configs) {
    if (triggers[name])
      throw new Error(
        `trigger '${name}' of user pool '${pool.Name}' calls ${triggers[name].arn} already, and ` +
          'a pool has one function a trigger: take it away there first'
      );
    if (KMSKeyID && key && key !== KMSKeyID && SENDERS.some((sender) => triggers[sender]))
      throw new Error(
        `user pool '${pool.Name}' encrypts for its other custom sender with ${key}, and a pool ` +
          'has one key'
      );
    key = KMSKeyID || key;
    triggers[name] = { arn, version };
  }
  const config = configOf(triggers, key);
  const normal = configOf(triggersOf(before), before.KMSKeyID);
  return isSame(config, normal) ? null : update(pool, config);
}

const poolArn = (context, id) => {
  const { partition, region, account } = place(context);
  return `arn:${partition}:cognito-idp:${region}:${account}:userpool/${id}`;
};

async function put(properties, old, request, context) {
  const { UserPoolName: name, FunctionName: functionName, UserPoolConfigs: configs } = properties;
  const pool = await find(name);
  if (!pool) throw new Error(`there is no user pool called '${name}'`);
  const arn = functionArn(context, functionName);
  const arns =
    old && old.UserPoolName === name ? [arn, functionArn(context, old.FunctionName)] : [arn];
  // Fails where another function has a trigger: before the permission is made, which would stay.
  changed(await describe(pool.Id), arns, arn, configs);
  await permission.add(request, functionName, PRINCIPAL, poolArn(context, pool.Id));
  await settle({
    read: () => describe(pool.Id),
    change: (it) => changed(it, arns, arn, configs),
    write: (input) => cognito('UpdateUserPool', input),
  });
}

async function remove(properties, request, context) {
  const { UserPoolName: name, FunctionName: functionName } = properties;
  const pool = await find(name);
  if (!pool) return;
  const arn = functionArn(context, functionName);
  try {
    await settle({
      read: () => describe(pool.Id),
      change: (it) => changed(it, [arn], arn, []),
      write: (input) => cognito('UpdateUserPool', input),
    });
  } catch (error) {
    if (error.code !== 'ResourceNotFoundException') throw error;
  }
  await permission.remove(request, functionName, PRINCIPAL, poolArn(context, pool.Id));
}

exports.handler = handler({
  id: ({ UserPoolName, FunctionName }) => `${UserPoolName}/${FunctionName}`,
  put,
  remove,
});
