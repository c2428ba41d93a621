exports.hello = exports.world = exports.auth = async () => 'x';
