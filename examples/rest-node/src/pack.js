'use strict';

const orders = require('./orders');

exports.handler = async (event) => {
  for (const record of event.Records) {
    const { id } = JSON.parse(record.body);
    await orders.markPacked(id);
    console.log(`packed ${id}`);
  }
};
