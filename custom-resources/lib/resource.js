'use strict';

// What CloudFormation and a handler say to each other. Source: CloudFormation user guide, "Custom
// resource request objects" and "response objects".

const aws = require('./aws');

const MARGIN_MS = 10000; // kept for the answer
const REASON_MAX = 1000; // characters; an answer may have 4,096 bytes

async function answer(request, response) {
  const body = JSON.stringify(response);
  const url = new URL(request.ResponseURL);
  for (let attempt = 1; ; attempt++) {
    try {
      const headers = { 'content-type': '', 'content-length': Buffer.byteLength(body) };
      const { status } = await aws.send(url, { method: 'PUT', headers }, body);
      if (status < 300) return;
      throw new Error(`CloudFormation's answer was refused with ${status}`);
    } catch (error) {
      if (attempt === 5) throw error;
      await aws.wait(aws.PAUSE_MS * 2 ** attempt);
    }
  }
}

function limit(work, ms) {
  let timer;
  const late = new Promise((resolve, reject) => {
    timer = setTimeout(() => reject(new Error('it was not done in time: try again')), ms);
  });
  return Promise.race([work, late]).finally(() => clearTimeout(timer));
}

// A Lambda handler that lets `actions` do what CloudFormation asks for, and answers it whatever
// happens: without an answer it waits for an hour.
//
// `id(properties)` names the thing, from what makes it another one: when it changes, CloudFormation
// asks to remove the thing of the old name. `put(properties, old, request, context)` makes it so,
// however often it is called and whatever an interrupted call left; `old` are the properties of
// before, or undefined. `remove(properties, request, context)` takes away what `put` made with the
// same properties, if it is there.
exports.handler = (actions) => async (request, context) => {
  const properties = request.ResourceProperties;
  const response = {
    StackId: request.StackId,
    RequestId: request.RequestId,
    LogicalResourceId: request.LogicalResourceId,
    PhysicalResourceId: request.PhysicalResourceId || request.LogicalResourceId,
    Status: 'SUCCESS',
  };
  try {
    if (request.RequestType !== 'Delete') response.PhysicalResourceId = actions.id(properties);
    const work =
      request.RequestType === 'Delete'
        ? actions.remove(properties, request, context)
        : actions.put(properties, request.OldResourceProperties, request, context);
    await limit(work, Math.max(context.getRemainingTimeInMillis() - MARGIN_MS, 1000));
  } catch (error) {
    console.error(error);
    response.Status = 'FAILED';
    response.Reason = error.message.slice(0, REASON_MAX);
  }
  await answer(request, response);
  return response;
};

// What the handler's own ARN says: {partition, region, account}.
exports.place = (context) => {
  const [, partition, , region, account] = context.invokedFunctionArn.split(':');
  return { partition, region, account };
};

// ARN of `name`, which may carry an alias: "function:alias".
exports.functionArn = (context, name) => {
  const { partition, region, account } = exports.place(context);
  return `arn:${partition}:lambda:${region}:${account}:function:${name}`;
};

// Read, change, write, and look whether it stayed: others may write at the same time, and none of
// these services can be asked to write only what nobody changed. `read()` gives what is there,
// `change(it)` what is to be, or null when it is so already, `write(it)` writes it.
//
// Whoever writes last overwrites what came between its reading and its writing; whoever was
// overwritten finds that out here, because it looks again after others had the time to write. What
// `isEarly(error)` says of a refused write is that it may be taken a little later: it is made anew
// from what is there then.
exports.settle = async ({ read, change, write, isEarly = () => false }) => {
  const ROUNDS = 8;
  const LOOKS = 2;
  let quiet = 0;
  for (let round = 1; ; round++) {
    const wanted = change(await read());
    quiet = wanted === null ? quiet + 1 : 0;
    if (quiet >= LOOKS || (quiet && round === 1)) return;
    if (wanted !== null) {
      if (round > ROUNDS) throw new Error('somebody else keeps overwriting it: try again');
      try {
        await write(wanted);
      } catch (error) {
        if (!isEarly(error) || round === ROUNDS) throw error;
      }
    }
    await aws.wait(aws.PAUSE_MS * 4 * (1 + Math.random()));
  }
};
