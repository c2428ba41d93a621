exports.u = 1;
