module.exports.later = () => new Promise((resolve) => setTimeout(resolve, 20, { at: 'last' }));
