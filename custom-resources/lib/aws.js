'use strict';

// Signed requests to AWS, without an SDK: what a runtime brings along differs from version to
// version, and a small zip starts quickly. Source: AWS General Reference, Signature Version 4.

const crypto = require('crypto');
const http = require('http');
const https = require('https');

const ATTEMPTS = 6;
const TIMEOUT_MS = 20000;
// Codes that say "later". A role's rights and new functions reach all servers only after a while.
const LATER = new Set([
  'ThrottlingException',
  'Throttling',
  'TooManyRequestsException',
  'ConcurrentModificationException',
  'ConcurrentModification',
  'ResourceConflictException',
  'OperationAborted',
  'ServiceUnavailable',
  'SlowDown',
  'InternalFailure',
  'InternalError',
]);
const DENIED = new Set(['AccessDenied', 'AccessDeniedException', 'UnauthorizedOperation']);
// How often a denied request is sent again, after a second and ever longer pauses: a right that
// CloudFormation has just given reaches AWS's servers after a while.
const DENIED_ATTEMPTS = 8;

class AwsError extends Error {
  constructor(code, message, status) {
    super(`${code}: ${message}`);
    this.code = code;
    this.status = status;
  }
}

const wait = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const sha256 = (data) => crypto.createHash('sha256').update(data).digest('hex');
const hmac = (key, data) => crypto.createHmac('sha256', key).update(data).digest();
const encode = (text) =>
  encodeURIComponent(text).replace(
    /[!'()*]/g,
    (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`
  );

const region = () => process.env.AWS_REGION;

// IAM is the same for all regions of a partition, and signed for one of them.
function endpoint(service) {
  const at = region();
  const suffix = at.startsWith('cn-') ? 'amazonaws.com.cn' : 'amazonaws.com';
  if (process.env.AWS_ENDPOINT_URL) return new URL(process.env.AWS_ENDPOINT_URL);
  if (service !== 'iam') return new URL(`https://${service}.${at}.${suffix}`);
  if (at.startsWith('cn-')) return new URL('https://iam.cn-north-1.amazonaws.com.cn');
  if (at.startsWith('us-gov-')) return new URL('https://iam.us-gov.amazonaws.com');
  return new URL('https://iam.amazonaws.com');
}

function signingRegion(service) {
  if (service !== 'iam') return region();
  if (region().startsWith('cn-')) return 'cn-north-1';
  return region().startsWith('us-gov-') ? 'us-gov-west-1' : 'us-east-1';
}

// `path` is encoded already; all but S3 sign it encoded once more.
function sign({ service, method, path, query, headers, body, host }, now) {
  const time = `${now.toISOString().replace(/[-:]/g, '').slice(0, 15)}Z`;
  const day = time.slice(0, 8);
  const scope = `${day}/${signingRegion(service)}/${service}/aws4_request`;
  const all = { ...headers, host, 'x-amz-date': time, 'x-amz-content-sha256': sha256(body) };
  if (process.env.AWS_SESSION_TOKEN) all['x-amz-security-token'] = process.env.AWS_SESSION_TOKEN;
  const names = Object.keys(all).sort();
  const canonicalQuery = Object.keys(query)
    .sort()
    .map((key) => `${encode(key)}=${encode(query[key])}`)
    .join('&');
  const canonicalPath = service === 's3' ? path : path.split('/').map(encode).join('/');
  const canonical = [
    method,
    canonicalPath,
    canonicalQuery,
    ...names.map((name) => `${name}:${all[name]}`),
    '',
    names.join(';'),
    all['x-amz-content-sha256'],
  ].join('\n');
  const toSign = ['AWS4-HMAC-SHA256', time, scope, sha256(canonical)].join('\n');
  const key = [day, signingRegion(service), service, 'aws4_request'].reduce(
    hmac,
    `AWS4${process.env.AWS_SECRET_ACCESS_KEY}`
  );
  const signature = crypto.createHmac('sha256', key).update(toSign).digest('hex');
  all.authorization =
    `AWS4-HMAC-SHA256 Credential=${process.env.AWS_ACCESS_KEY_ID}/${scope}, ` +
    `SignedHeaders=${names.join(';')}, Signature=${signature}`;
  return { headers: all, target: canonicalQuery ? `${path}?${canonicalQuery}` : path };
}

// Send one request; {status, body}. Also for the answer to CloudFormation.
function send(url, options, body) {
  const client = url.protocol === 'http:' ? http : https;
  return new Promise((resolve, reject) => {
    const request = client.request(url, { ...options, timeout: TIMEOUT_MS }, (response) => {
      const parts = [];
      response.on('data', (part) => parts.push(part));
      response.on('error', reject);
      response.on('end', () =>
        resolve({ status: response.statusCode, body: Buffer.concat(parts).toString('utf8') })
      );
    });
    request.on('timeout', () => request.destroy(new Error('no answer in time')));
    request.on('error', reject);
    request.end(body);
  });
}

const tag = (text, name) => (text.match(new RegExp(`<${name}>([^<]*)</${name}>`)) || [])[1];

// Code and message, as JSON and XML protocols say them.
function errorOf({ status, body }) {
  let code = tag(body, 'Code');
  let message = tag(body, 'Message');
  try {
    const said = JSON.parse(body);
    code = said.__type || said.code || said.Code || code;
    message = said.message || said.Message || message;
  } catch (error) {
    // XML, or nothing
  }
  return new AwsError(
    String(code || status)
      .split('#')
      .pop()
      .split(':')[0],
    message || body,
    status
  );
}

// Ask AWS; the body of the answer. What is over a limit, failed inside or is not allowed yet is
// asked for again, unless `isFinal(code)`.
async function call({
  service,
  method = 'POST',
  path = '/',
  query = {},
  headers = {},
  body = '',
  isFinal = () => false,
}) {
  const base = endpoint(service);
  const request = { service, method, path, query, headers, body, host: base.host };
  let denied = 0;
  for (let attempt = 1; ; attempt++) {
    const { headers: signed, target } = sign(request, new Date());
    let problem;
    try {
      const answer = await send(new URL(target, base), { method, headers: signed }, body);
      if (answer.status < 300) return answer.body;
      problem = errorOf(answer);
    } catch (error) {
      problem = error;
    }
    const isDenied = DENIED.has(problem.code);
    const isLater = !problem.status || problem.status >= 500 || LATER.has(problem.code);
    if (isFinal(problem.code)) throw problem;
    if (isDenied ? ++denied >= DENIED_ATTEMPTS : !isLater || attempt >= ATTEMPTS) throw problem;
    await wait(module.exports.PAUSE_MS * Math.min(2 ** attempt, 20) * (0.5 + Math.random()));
  }
}

// An operation of a JSON service.
async function json(service, prefix, operation, input) {
  const body = await call({
    service,
    headers: {
      'content-type': 'application/x-amz-json-1.1',
      'x-amz-target': `${prefix}.${operation}`,
    },
    body: JSON.stringify(input),
  });
  return body ? JSON.parse(body) : {};
}

module.exports = { AwsError, PAUSE_MS: 250, call, encode, json, region, send, sha256, tag, wait };
