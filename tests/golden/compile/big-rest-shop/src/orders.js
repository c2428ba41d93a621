exports.list = exports.create = exports.get = async () => ({ statusCode: 200 });
