exports.main = async (event) => ({
  statusCode: 200,
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify({
    code: 'one',
    stage: process.env.STAGE,
    path: event.rawPath,
    id: event.pathParameters ? event.pathParameters.id : null,
    method: event.requestContext.http.method,
  }),
});
