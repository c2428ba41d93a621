const loop = {};
loop.loop = loop;
module.exports = { service: 'svc', loop };
