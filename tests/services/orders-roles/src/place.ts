export const handler = async (event: { body?: string }) => ({
  statusCode: 201,
  body: JSON.stringify({ table: process.env.TABLE, got: event.body ?? null }),
});
