exports.query = async () => process.env.TOPIC;
