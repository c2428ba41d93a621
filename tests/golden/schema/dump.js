'use strict';
// Write the paths of all keys that the schema of a reference has, one a line:
//
//   node tests/golden/schema/dump.js ~/.cache/troupe/reference-3.77.1 > tests/golden/schema/keys-3.txt
//   node tests/golden/schema/dump.js ~/.cache/troupe/reference-4.3.1 > tests/golden/schema/keys-4.txt
//
// `*` stands for any key, `[]` for an item of a list. What is below a CloudFormation function is
// left out.
const path = require('path');

const Serverless = require(path.join(process.argv[2], 'node_modules/osls/lib/serverless.js'));

const CF_FUNCTION = /\/awsCf[A-Z]/;

function walk(root, schema, at, found, open) {
  if (!schema || typeof schema !== 'object') return;
  if (schema.$ref) {
    if (CF_FUNCTION.test(schema.$ref) || open.has(schema.$ref)) return;
    const target = schema.$ref.slice(2).split('/').reduce((node, key) => node[key], root);
    walk(root, target, at, found, new Set([...open, schema.$ref]));
    return;
  }
  for (const kind of ['anyOf', 'oneOf', 'allOf']) {
    for (const one of schema[kind] || []) walk(root, one, at, found, open);
  }
  for (const [key, value] of Object.entries(schema.properties || {})) {
    if (key === '__schemaWorkaround__') continue;
    found.add([...at, key].join(' '));
    walk(root, value, [...at, key], found, open);
  }
  for (const value of Object.values(schema.patternProperties || {})) {
    walk(root, value, [...at, '*'], found, open);
  }
  walk(root, schema.additionalProperties, [...at, '*'], found, open);
  for (const item of [schema.items || []].flat()) walk(root, item, [...at, '[]'], found, open);
}

(async () => {
  const serverless = new Serverless({
    configuration: { service: 'svc', provider: { name: 'aws' } },
    serviceDir: process.cwd(),
    configurationFilename: 'serverless.yml',
    commands: ['package'],
    options: {},
  });
  await serverless.init();
  const { schema } = serverless.configSchemaHandler;
  const found = new Set();
  walk(schema, schema, [], found, new Set());
  process.stdout.write(`${[...found].sort().join('\n')}\n`);
})();
