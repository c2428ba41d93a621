exports.handler = async (event) => event.Records.length;
exports.send = async () => process.env.QUEUE;
