'use strict';

// Calls of AWS services that speak JSON, signed with Signature Version 4. Enough for two services,
// so that this example needs no packages; a larger one would use @aws-sdk/client-dynamodb.

const { createHash, createHmac } = require('node:crypto');

const sha256 = (text) => createHash('sha256').update(text).digest('hex');
const hmac = (key, text) => createHmac('sha256', key).update(text).digest();

function sign(service, region, url, headers, body) {
  const { AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN } = process.env;
  const time = new Date().toISOString().replace(/[-:]|\.\d+/g, '');
  const signed = { ...headers, host: url.host, 'x-amz-date': time };
  if (AWS_SESSION_TOKEN) signed['x-amz-security-token'] = AWS_SESSION_TOKEN;
  const names = Object.keys(signed).sort();
  const list = names.join(';');
  const lines = names.map((name) => `${name}:${signed[name]}\n`).join('');
  const request = ['POST', '/', '', lines, list, sha256(body)].join('\n');
  const scope = [time.slice(0, 8), region, service, 'aws4_request'];
  const toSign = ['AWS4-HMAC-SHA256', time, scope.join('/'), sha256(request)].join('\n');
  const key = scope.reduce(hmac, `AWS4${AWS_SECRET_ACCESS_KEY}`);
  const signature = hmac(key, toSign).toString('hex');
  const credential = `${AWS_ACCESS_KEY_ID}/${scope.join('/')}`;
  signed.authorization = `AWS4-HMAC-SHA256 Credential=${credential}, SignedHeaders=${list}, Signature=${signature}`;
  delete signed.host; // fetch sets it
  return signed;
}

async function call(service, target, input) {
  const { AWS_REGION: region, AWS_ENDPOINT_URL: endpoint } = process.env;
  const url = new URL(endpoint || `https://${service}.${region}.amazonaws.com`);
  const body = JSON.stringify(input);
  const headers = { 'content-type': 'application/x-amz-json-1.0', 'x-amz-target': target };
  const answer = await fetch(new URL('/', url), {
    method: 'POST',
    headers: sign(service, region, url, headers, body),
    body,
  });
  const text = await answer.text();
  if (!answer.ok) throw new Error(`${target}: ${answer.status} ${text}`);
  return text ? JSON.parse(text) : {};
}

module.exports = {
  dynamodb: (operation, input) => call('dynamodb', `DynamoDB_20120810.${operation}`, input),
  sqs: (operation, input) => call('sqs', `AmazonSQS.${operation}`, input),
};
