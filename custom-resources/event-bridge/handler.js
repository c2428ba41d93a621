'use strict';

// A rule of an event bus, and the bus when it is named and not there yet.

const aws = require('../lib/aws');
const permission = require('../lib/permission');
const { functionArn, handler, place } = require('../lib/resource');

const PRINCIPAL = 'events.amazonaws.com';
const ID_MAX = 64;

const events = (operation, input) => aws.json('events', 'AWSEvents', operation, input);

// Name of the bus: its ARN says it, too; undefined for the account's own.
function busOf({ EventBus: bus }) {
  const name = bus && bus.startsWith('arn') ? bus.slice(bus.indexOf('/') + 1) : bus;
  return name === 'default' ? undefined : name;
}

// Is the bus one that this resource makes?
const makesBus = ({ EventBus: bus }) => Boolean(bus) && bus !== 'default' && !bus.startsWith('arn');

function targetId(rule) {
  const id = `${rule}-target`;
  return id.length <= ID_MAX ? id : `${rule.slice(0, 31)}-${aws.sha256(rule).slice(0, 24)}-target`;
}

function ruleArn(context, { RuleName: rule, ...config }) {
  const { partition, region, account } = place(context);
  const bus = busOf(config);
  return `arn:${partition}:events:${region}:${account}:rule/${bus ? `${bus}/` : ''}${rule}`;
}

const target = (arn, { RuleName, Input, InputPath, InputTransformer }) => ({
  Arn: arn,
  Id: targetId(RuleName),
  Input: Input && JSON.stringify(Input),
  InputPath,
  InputTransformer,
});

async function ignoring(codes, work) {
  try {
    await work;
  } catch (error) {
    if (!codes.includes(error.code)) throw error;
  }
}

async function put(properties, old, request, context) {
  const { FunctionName: name, EventBridgeConfig: config } = properties;
  const bus = busOf(config);
  await permission.add(request, name, PRINCIPAL, ruleArn(context, config));
  if (makesBus(config))
    await ignoring(['ResourceAlreadyExistsException'], events('CreateEventBus', { Name: bus }));
  await events('PutRule', {
    Name: config.RuleName,
    EventBusName: bus,
    EventPattern: config.Pattern && JSON.stringify(config.Pattern),
    ScheduleExpression: config.Schedule,
    State: config.State,
  });
  const answer = await events('PutTargets', {
    Rule: config.RuleName,
    EventBusName: bus,
    Targets: [target(functionArn(context, name), config)],
  });
  if (answer.FailedEntryCount)
    throw new Error(`rule '${config.RuleName}': ${answer.FailedEntries[0].ErrorMessage}`);
}

// A bus goes with its last rule; EventBridge refuses to delete one that has rules.
async function remove(properties, request, context) {
  const { FunctionName: name, EventBridgeConfig: config } = properties;
  const bus = busOf(config);
  const rule = { Name: config.RuleName, EventBusName: bus };
  await ignoring(
    ['ResourceNotFoundException'],
    events('RemoveTargets', {
      Rule: config.RuleName,
      EventBusName: bus,
      Ids: [targetId(config.RuleName)],
    })
  );
  await ignoring(['ResourceNotFoundException'], events('DeleteRule', rule));
  if (makesBus(config))
    await ignoring(
      ['ResourceNotFoundException', 'ValidationException'],
      events('DeleteEventBus', { Name: bus })
    );
  await permission.remove(request, name, PRINCIPAL, ruleArn(context, config));
}

exports.handler = handler({
  id: ({ FunctionName, EventBridgeConfig: config }) =>
    `${busOf(config) || 'default'}/${config.RuleName}/${FunctionName}`,
  put,
  remove,
});
