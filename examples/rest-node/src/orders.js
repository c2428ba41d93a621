'use strict';

const { dynamodb, sqs } = require('./aws');

const TableName = process.env.ORDERS_TABLE;

const toOrder = (item) => ({ id: item.id.S, product: item.product.S, status: item.status.S });

exports.place = async (id, product) => {
  const order = { id, product, status: 'placed' };
  await dynamodb('PutItem', {
    TableName,
    Item: { id: { S: id }, product: { S: product }, status: { S: order.status } },
  });
  await sqs('SendMessage', {
    QueueUrl: process.env.ORDERS_QUEUE,
    MessageBody: JSON.stringify({ id }),
  });
  return order;
};

exports.find = async (id) => {
  const { Item } = await dynamodb('GetItem', {
    TableName,
    Key: { id: { S: id } },
    ConsistentRead: true,
  });
  return Item && toOrder(Item);
};

exports.list = async () => {
  const { Items } = await dynamodb('Scan', { TableName, Limit: 100 });
  return Items.map(toOrder);
};

exports.markPacked = (id) =>
  dynamodb('UpdateItem', {
    TableName,
    Key: { id: { S: id } },
    UpdateExpression: 'SET #status = :packed',
    ExpressionAttributeNames: { '#status': 'status' },
    ExpressionAttributeValues: { ':packed': { S: 'packed' } },
  });
