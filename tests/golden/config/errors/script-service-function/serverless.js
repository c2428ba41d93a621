module.exports = async () => ({ service: 'svc' });
