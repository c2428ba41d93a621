'use strict';

// Notifications of a bucket that exists already. The answer of S3 is kept as text, so that what
// others put there stays as it is, known here or not.

const aws = require('../lib/aws');
const permission = require('../lib/permission');
const { functionArn, handler, place, settle } = require('../lib/resource');

const PRINCIPAL = 's3.amazonaws.com';
const CONFIGURATION = /<CloudFunctionConfiguration>([\s\S]*?)<\/CloudFunctionConfiguration>/g;
const EMPTY =
  '<NotificationConfiguration xmlns="http://s3.amazonaws.com/doc/2006-03-01/"></NotificationConfiguration>';
const ENTITIES = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };

const escape = (text) =>
  text.replace(/[&<>"]/g, (c) => `&${Object.keys(ENTITIES).find((name) => ENTITIES[name] === c)};`);
const unescape = (text) =>
  (text || '')
    .replace(/&#(x?)([0-9a-fA-F]+);/g, (_, hex, digits) =>
      String.fromCodePoint(parseInt(digits, hex ? 16 : 10))
    )
    .replace(/&(lt|gt|quot|apos|amp);/g, (_, name) => ENTITIES[name]);
const valueOf = (xml, name) => unescape(aws.tag(xml, name));

// Ids begin with whom they belong to: the function, whose name carries service and stage, and the
// resource of the stack.
const prefixOf = (request, functionName) =>
  `${functionName}-${aws.sha256(request.LogicalResourceId).slice(0, 8)}-`;

// The Serverless Framework, whose stage `adopt` takes over, has the function's name and an MD5.
const isOfReference = (id, name) =>
  id.startsWith(`${name}-`) && /^[0-9a-f]{32}$/.test(id.slice(name.length + 1));

// Which notifications are this resource's, as any of `names` of its function.
const ownedBy = (request, context, names) => (inner) => {
  const id = valueOf(inner, 'Id');
  return names.some(
    (name) =>
      valueOf(inner, 'CloudFunction') === functionArn(context, name) &&
      (id.startsWith(prefixOf(request, name)) || isOfReference(id, name))
  );
};

function configurationXml(arn, prefix, { Event, Rules = [] }) {
  const rules = Rules.flatMap((rule) => Object.entries(rule)).map(
    ([name, value]) =>
      `<FilterRule><Name>${escape(name.toLowerCase())}</Name><Value>${escape(value)}</Value></FilterRule>`
  );
  const filter = rules.length ? `<Filter><S3Key>${rules.join('')}</S3Key></Filter>` : '';
  const id = prefix + aws.sha256(JSON.stringify([Event, Rules])).slice(0, 16);
  return (
    `<CloudFunctionConfiguration><Id>${escape(id)}</Id><CloudFunction>${escape(arn)}</CloudFunction>` +
    `<Event>${escape(Event)}</Event>${filter}</CloudFunctionConfiguration>`
  );
}

const bucketCall = (bucket, more) =>
  aws.call({ service: 's3', path: `/${aws.encode(bucket)}`, query: { notification: '' }, ...more });

const read = (bucket) => bucketCall(bucket, { method: 'GET' });

const write = (bucket, body, headers) =>
  bucketCall(bucket, {
    method: 'PUT',
    body,
    headers: { 'content-type': 'application/xml', ...headers },
  });

const list = (xml) => [...xml.matchAll(CONFIGURATION)].map(([whole, inner]) => ({ whole, inner }));
const key = ({ inner }) =>
  JSON.stringify([
    valueOf(inner, 'Id'),
    valueOf(inner, 'CloudFunction'),
    [...inner.matchAll(/<Event>([^<]*)<\/Event>/g)].map((m) => m[1]).sort(),
    [...inner.matchAll(/<FilterRule>([\s\S]*?)<\/FilterRule>/g)]
      .map((m) => `${valueOf(m[1], 'Name').toLowerCase()}=${valueOf(m[1], 'Value')}`)
      .sort(),
  ]);

// `xml` with `mine` in place of what `owns` says yes to; null: it is so already.
function changed(xml, owns, mine) {
  const own = list(xml).filter(({ inner }) => owns(inner));
  const same = (x, y) => JSON.stringify(x.map(key).sort()) === JSON.stringify(y.map(key).sort());
  if (same(own, list(mine))) return null;
  const kept = xml.replace(CONFIGURATION, (whole, inner) => (owns(inner) ? '' : whole));
  if (kept.includes('</NotificationConfiguration>'))
    return kept.replace(
      '</NotificationConfiguration>',
      () => `${mine}</NotificationConfiguration>`
    );
  return EMPTY.replace('</', () => `${mine}</`);
}

// S3 says only that something overlaps: say what.
function explain(error, xml, owns, bucket) {
  if (!/overlap|ambiguous/i.test(error.message)) return error;
  const others = list(xml)
    .filter(({ inner }) => !owns(inner))
    .map(({ inner }) => `'${valueOf(inner, 'Id')}' of ${valueOf(inner, 'CloudFunction')}`);
  return new Error(
    `bucket '${bucket}' has a notification of the same events and keys already, ` +
      `and S3 takes one only: ${others.join(', ') || 'to a queue or topic'}. Stages of one bucket ` +
      'need a prefix or suffix of their own'
  );
}

async function put(properties, old, request, context) {
  const { BucketName: bucket, FunctionName: name, BucketConfigs: configurations } = properties;
  const { partition, account } = place(context);
  // What the resource had for a function of another name goes with the same request: S3 refuses
  // notifications that overlap.
  const names = old && old.BucketName === bucket ? [name, old.FunctionName] : [name];
  const owns = ownedBy(request, context, names);
  const prefix = prefixOf(request, name);
  const mine = configurations
    .map((c) => configurationXml(functionArn(context, name), prefix, c))
    .join('');
  await permission.add(request, name, PRINCIPAL, `arn:${partition}:s3:::${bucket}`, account);
  let seen;
  await settle({
    read: async () => (seen = await read(bucket)),
    change: (xml) => changed(xml, owns, mine),
    write: (xml) =>
      write(bucket, xml).catch((error) => {
        throw explain(error, seen, owns, bucket);
      }),
    // S3 checks where notifications go, and the permission may not have reached it yet.
    isEarly: (error) => /validate/i.test(error.message),
  });
}

// A bucket that is gone has no notifications. Where notifications of others go is not checked: one
// that leads nowhere must not keep this stack from being removed.
async function remove(properties, request, context) {
  const { BucketName: bucket, FunctionName: name } = properties;
  const owns = ownedBy(request, context, [name]);
  try {
    await settle({
      read: () => read(bucket),
      change: (xml) => changed(xml, owns, ''),
      write: (xml) => write(bucket, xml, { 'x-amz-skip-destination-validation': 'true' }),
    });
  } catch (error) {
    if (error.code !== 'NoSuchBucket') throw error;
  }
  const { partition } = place(context);
  await permission.remove(request, name, PRINCIPAL, `arn:${partition}:s3:::${bucket}`);
}

exports.handler = handler({
  id: ({ BucketName, FunctionName }) => `${BucketName}/${FunctionName}`,
  put,
  remove,
});
