const CODE = 'one';
exports.main = async (event) => ({ statusCode: 200, body: JSON.stringify({ code: CODE, stage: event.requestContext.stage }) });
exports.guard = async (event) => {
  if (event.authorizationToken !== CODE) throw 'Unauthorized';
  return {
    principalId: 'somebody',
    policyDocument: { Version: '2012-10-17', Statement: [{ Action: 'execute-api:Invoke', Effect: 'Allow', Resource: '*' }] },
  };
};
