module.exports = () => process.exit(3);
