export const handler = async (event) =>
  event.source === 'serverless-plugin-warmup' ? 'warmed' : { statusCode: 200, body: 'hello' };
