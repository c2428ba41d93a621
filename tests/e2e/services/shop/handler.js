'use strict';

const CODE = 'one';

const answer = (value) => ({ statusCode: 200, body: JSON.stringify({ code: CODE, ...value }) });

exports.hello = async (event, context) => {
  if (event.fail) throw new Error('told to fail');
  if (!event.httpMethod) return { code: CODE, version: context.functionVersion, event };
  return answer({ name: event.pathParameters && event.pathParameters.name, version: context.functionVersion });
};

exports.orders = async (event) => answer({ stage: process.env.STAGE, body: event.body });
