const region = 'eu';
module.exports = { service: 'svc', provider: region.none.name };
