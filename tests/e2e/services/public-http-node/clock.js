'use strict';

module.exports.now = (event, context, callback) => {
  callback(null, { statusCode: 200, body: JSON.stringify({ message: `It is ${new Date().toISOString()}` }) });
};
