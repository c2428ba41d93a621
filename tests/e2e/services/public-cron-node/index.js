module.exports.run = async (event, context) => {
  console.log(`${context.functionName} ran at ${new Date().toISOString()}`);
  return { ran: context.functionName };
};
