// Says in its log which alias was called, and with what.
exports.work = async (event, context) => {
  console.log(`GOT ${context.invokedFunctionArn} ${JSON.stringify(event)}`);
};
