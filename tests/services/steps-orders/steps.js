exports.check = async (event) => ({ ...event, ok: true });
exports.charge = async (event) => ({ ...event, charged: process.env.AWS_LAMBDA_FUNCTION_NAME });
