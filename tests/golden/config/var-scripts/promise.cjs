console.error('what scripts print is no part of the answer');
module.exports = Promise.resolve({ one: 1, more: { two: '${opt:stage}' } });
