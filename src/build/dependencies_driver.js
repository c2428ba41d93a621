// Asks the project's own serverless-plugin-include-dependencies which files go into the zips. On its
// standard input is one JSON text:
//
//   place      folder to write into, absolute
//   service    the service: `service`, `provider`, `package`, `custom`, `functions` that have zips
//
// The plugin changes `package` of the service and of functions. That, and what it read, goes into
// RESULT there.
'use strict';
const fs = require('fs');
const Module = require('module');
const path = require('path');

const RESULT = '.troupe-result.json';
const PLUGIN = 'serverless-plugin-include-dependencies';
const VERSION = '3.77.1'; // of the framework that the plugin is to see

const dir = process.cwd();
const projectRequire = Module.createRequire(path.join(dir, 'package.json'));

class Failure extends Error {}

const load = () => {
  try {
    return projectRequire(PLUGIN);
  } catch (error) {
    if (error.code !== 'MODULE_NOT_FOUND') throw error;
    throw new Failure(`${PLUGIN} is not installed: npm install`);
  }
};

const texts = (list) => (Array.isArray(list) ? list : []);

const main = async () => {
  const job = JSON.parse(fs.readFileSync(0, 'utf8'));
  const Plugin = load();
  const log = () => {}; // it tells of optional dependencies that are not there
  const service = { package: {}, ...job.service, getFunction: (key) => service.functions[key] };
  service.package ||= {};
  const serverless = {
    version: VERSION,
    classes: { Error },
    cli: { log },
    config: { servicePath: dir, serviceDir: dir },
    serviceDir: dir,
    service,
    getProvider: () => ({}),
  };
  const plugin = new Plugin(serverless, {}, { log: { warning: log, notice: log, error: log } });
  await plugin.hooks['before:package:createDeploymentArtifacts']();

  const packages = {};
  for (const [key, fn] of Object.entries(service.functions)) packages[key] = fn.package || {};
  const files = new Set([
    'package.json',
    'node_modules/.package-lock.json',
    'node_modules/.yarn-integrity',
    'node_modules/.modules.yaml',
    path.relative(dir, projectRequire.resolve(`${PLUGIN}/package.json`)),
  ]);
  const dirs = new Set(['node_modules']);
  for (const { patterns, include } of [service.package, ...Object.values(packages)])
    for (const name of [...texts(patterns), ...texts(include)]) {
      if (name.startsWith('!') || !fs.statSync(name, { throwIfNoEntry: false })?.isFile()) continue;
      if (!/(^|\/)node_modules\//.test(name) || path.basename(name) === 'package.json')
        files.add(name);
      dirs.add(path.dirname(name));
    }
  fs.writeFileSync(path.join(job.place, 'packages.json'), JSON.stringify(packages));
  fs.writeFileSync(
    path.join(job.place, RESULT),
    JSON.stringify({
      files: [...files].sort(),
      dirs: [...dirs].sort(),
      service: service.package,
      functions: packages,
    })
  );
};

main().catch((error) => {
  console.error(error instanceof Failure ? error.message : error);
  process.exit(1);
});
