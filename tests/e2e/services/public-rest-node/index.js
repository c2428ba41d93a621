module.exports.handler = async (event) => ({
  statusCode: 200,
  body: JSON.stringify({ message: 'root', input: event }, null, 2),
});
