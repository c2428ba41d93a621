exports.handler = async () => 'main';
exports.health = async () => 'healthy';
