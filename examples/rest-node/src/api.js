'use strict';

const { randomUUID } = require('node:crypto');
const greeting = require('./greeting');
const orders = require('./orders');

const answer = (statusCode, body) => ({
  statusCode,
  headers: { 'content-type': 'application/json', 'access-control-allow-origin': '*' },
  body: JSON.stringify(body),
});

function parse(event) {
  try {
    const text = event.isBase64Encoded ? Buffer.from(event.body, 'base64').toString() : event.body;
    return JSON.parse(text) || {};
  } catch {
    return {};
  }
}

const routes = {
  'GET /': (event) => answer(200, { greeting, stage: event.requestContext.stage }),
  'GET /orders': async () => answer(200, await orders.list()),
  'POST /orders': async (event) => {
    const { product } = parse(event);
    if (typeof product !== 'string' || !product)
      return answer(400, { error: "'product' is missing" });
    return answer(201, await orders.place(randomUUID(), product));
  },
  'GET /orders/{id}': async (event) => {
    const order = await orders.find(event.pathParameters.id);
    return order ? answer(200, order) : answer(404, { error: 'no such order' });
  },
};

exports.handler = (event) => routes[`${event.httpMethod} ${event.resource}`](event);
