/* What node runs for troupe: it loads the scripts of a service and calls their functions, as the
 * reference does. Messages are lines of JSON on descriptor 3; script.h describes them. What scripts
 * print goes to the error output. */
'use strict';

const { AsyncLocalStorage } = require('async_hooks');
const fs = require('fs');
const Module = require('module');
const net = require('net');
const path = require('path');
const { pathToFileURL, fileURLToPath } = require('url');
const util = require('util');

const current = new AsyncLocalStorage(); // the request that is being answered
const requests = []; // those that are open, the innermost last
const waiting = new Map(); // number of a question -> {of, resolve, reject}
const stageReaders = new Set(); // files that looked at what may tell the stage
const ofStage = new Set(); // variables that a .env file of the stage gave
let asked = 0;
let dir, argv, given;

const socket = new net.Socket({ fd: 3, readable: true, writable: true });
const send = (message) => socket.write(JSON.stringify(message) + '\n');

// ---- what may be waited for ----

// troupe answers only the questions of the innermost request. Without one, node is let go, and says
// so when nothing is left that could go on.
const hold = () => {
  const top = requests[requests.length - 1];
  if (!top || [...waiting.values()].some((w) => w.of === top.id)) socket.ref();
  else socket.unref();
};

process.on('beforeExit', () => {
  const top = requests[requests.length - 1];
  if (top) top.fail(new Error('it waits for a promise that nothing is left to settle'));
});

const ask = (request, question) => {
  const number = ++asked;
  send({ ask: number, of: request.id, ...question });
  return new Promise((resolve, reject) => {
    waiting.set(number, { of: request.id, resolve, reject });
    hold();
  });
};

const answered = (message) => {
  const { resolve, reject } = waiting.get(message.answer);
  waiting.delete(message.answer);
  hold();
  if (message.error === undefined) return resolve(message.value);
  const error = new Error(message.error);
  Object.defineProperty(error, 'question', { value: message.answer });
  return reject(error);
};

// ---- who reads the command line, or what .env.<stage> says, may get the stage from it ----

const PARSERS = /\/node_modules\/(yargs|yargs-parser|minimist|commander|meow|arg|mri|getopts)\//;
const FRAME = /\(?((?:file:\/\/)?\/[^()]+):(\d+):(\d+)\)?$/;

const looked = (isParser) => {
  const limit = Error.stackTraceLimit;
  Error.stackTraceLimit = 100;
  const frames = new Error().stack.split('\n').map((line) => FRAME.exec(line));
  Error.stackTraceLimit = limit;
  const files = frames.filter(Boolean).map((match) => match[1]);
  const [first = ''] = files;
  if (!first || (first.includes('/node_modules/') && !isParser(first))) return;
  const own = files.find((file) => !file.includes('/node_modules/'));
  if (own) stageReaders.add(own.startsWith('file:') ? fileURLToPath(own) : own);
  const request = current.getStore();
  if (request) request.stage = true;
};

Object.defineProperty(process, 'argv', {
  configurable: true,
  enumerable: true,
  get() {
    looked((file) => PARSERS.test(file));
    return argv;
  },
  set(value) {
    argv = value;
  },
});

const environment = process.env;
Object.defineProperty(process, 'env', {
  configurable: true,
  enumerable: true,
  writable: true,
  value: new Proxy(environment, {
    get(target, name) {
      if (ofStage.has(name)) looked(() => true);
      return target[name];
    },
  }),
});

// The service's own files that `file` has loaded, itself included.
const modulesOf = (file, found = new Set()) => {
  if (found.has(file) || file.includes('/node_modules/')) return found;
  found.add(file);
  const loaded = require.cache[file];
  for (const child of loaded ? loaded.children : []) modulesOf(child.filename || child.id, found);
  return found;
};

// ---- the reference's contract ----

const isPlainFunction = (value) =>
  typeof value === 'function' && !/^\s*class[\s{/}]/.test(Function.prototype.toString.call(value));

const isPlainObject = (value) => {
  if (value === null || typeof value !== 'object') return false;
  const prototype = Object.getPrototypeOf(value);
  return !prototype || Object.prototype.hasOwnProperty.call(prototype, 'propertyIsEnumerable');
};

const optionsFor = (request) => {
  const options = Object.assign(Object.create(null), { stage: null, region: null }, given);
  let stage = options.stage;
  Object.defineProperty(options, 'stage', {
    configurable: true,
    enumerable: true,
    get() {
      request.stage = true;
      return stage;
    },
    set(value) {
      stage = value;
    },
  });
  return options;
};

const contract = (request) => ({
  options: optionsFor(request),
  resolveVariable: async (variable) => {
    if (variable === null || variable === undefined || typeof variable === 'object')
      throw new TypeError(`resolveVariable takes a string, not ${util.inspect(variable)}`);
    return ask(request, { variable: String(variable) });
  },
  resolveConfigurationProperty: async (keys) => {
    if (!Array.isArray(keys)) throw new TypeError(`${util.inspect(keys)} is not an array`);
    return ask(request, { keys: keys.map(String) });
  },
});

// ---- loading ----

class Failure extends Error {
  constructor(what, cause) {
    super(what);
    Object.assign(this, { what, cause });
  }
}

const attempt = async (what, make) => {
  try {
    return await make();
  } catch (error) {
    throw error instanceof Failure ? error : new Failure(what, error);
  }
};

const importDefault = async (file) => {
  const loaded = await import(pathToFileURL(file).href);
  return 'default' in loaded ? loaded.default : { ...loaded };
};

const load = async (file) => {
  try {
    const loaded = require(file);
    if (!util.types.isModuleNamespaceObject(loaded)) return { loaded };
    return { loaded: 'default' in loaded ? loaded.default : { ...loaded } };
  } catch (error) {
    if (!error || error.code !== 'ERR_REQUIRE_ESM') throw error;
  }
  return { loaded: await importDefault(file) };
};

const found = (name) => {
  const homes = ['', 'node_modules/osls', 'node_modules/serverless'];
  try {
    return require.resolve(name, { paths: homes.map((home) => path.join(dir, home)) });
  } catch {
    return null;
  }
};

// esbuild makes one script of all; each file keeps what Node.js says about its place.
const placed = (file) => {
  const text = fs.readFileSync(file, 'utf8');
  const own = /\b(const|let|var)\s+__(dirname|filename)\b/.test(text);
  const [name, home] = [file, path.dirname(file)].map((one) => JSON.stringify(one));
  const places = own ? '' : `const __filename = ${name}, __dirname = ${home};`;
  return { contents: places + text, loader: /x$/.test(file) ? 'tsx' : 'ts' };
};

const bundled = async (esbuild, file) => {
  const setup = (build) =>
    build.onLoad({ filter: /\.[cm]?[jt]sx?$/ }, (one) =>
      one.path.includes('/node_modules/') ? undefined : placed(one.path)
    );
  const made = await esbuild.build({
    entryPoints: [file],
    absWorkingDir: dir,
    bundle: true,
    packages: 'external',
    platform: 'node',
    target: `node${process.versions.node}`,
    format: 'cjs',
    sourcemap: 'inline',
    write: false,
    logLevel: 'silent',
    plugins: [{ name: 'places', setup }],
  });
  process.setSourceMapsEnabled(true);
  const module = new Module(file, null);
  module.filename = file;
  module.paths = Module._nodeModulePaths(path.dirname(file));
  module._compile(made.outputFiles[0].text, file);
  return module.exports;
};

const viaTsNode = (tsNode, file) => {
  const compilerOptions = { module: 'commonjs' };
  require(tsNode).register({ cwd: dir, transpileOnly: true, compilerOptions });
  const aliases = found('tsconfig-paths/register');
  if (aliases) require(aliases);
  return require(file);
};

const loadTypescript = async (file) => {
  const tsx = found('tsx/cjs/api');
  const esbuild = found('esbuild');
  const tsNode = found('ts-node');
  let loaded;
  if (tsx) loaded = require(tsx).require(file, path.join(dir, 'package.json'));
  else if (esbuild) loaded = await bundled(require(esbuild), file);
  else if (tsNode) loaded = viaTsNode(tsNode, file);
  else if (process.features.typescript) ({ loaded } = await load(file));
  else throw new Failure('typescript');
  return loaded.default || loaded;
};

// ---- requests ----

const service = async ({ path: file }) => {
  const end = path.extname(file);
  const value = await attempt('load', async () => {
    if (/^\.[cm]?ts$/.test(end)) return loadTypescript(file);
    return end === '.mjs' ? importDefault(file) : (await load(file)).loaded;
  });
  if (!isPlainObject(value)) {
    throw new Failure('service', new Error(`not a plain object, but ${util.inspect(value)}`));
  }
  return attempt('value', () => JSON.parse(JSON.stringify(value)));
};

// The value of the property that `keys` name, on the way calling one function.
const follow = async (request, value, keys, wasCalled) => {
  let called = wasCalled;
  for (const key of keys) {
    if (typeof value === 'string') value = await ask(request, { text: value });
    if (value === null || value === undefined) return null;
    const holder = value;
    value = await attempt('property', () => {
      const own = Object.prototype.hasOwnProperty.call(holder, key);
      const safe = !['__proto__', 'constructor', 'prototype'].includes(key);
      return { member: own || (safe && util.types.isProxy(holder)) ? holder[key] : null };
    });
    value = value.member;
    if (value === null || value === undefined) return null;
    if (called) continue;
    const made = value;
    called = isPlainFunction(made);
    const make = () => (called ? made(contract(request)) : made);
    value = await attempt(called ? 'function' : 'promise', make);
    if (!called && (value === null || value === undefined)) return null;
  }
  return value;
};

const normal = (value) => {
  try {
    const copy = JSON.parse(JSON.stringify(value));
    if (isPlainObject(value) || Array.isArray(value) || value === copy) return copy;
  } catch {
    // told below
  }
  throw new Failure('value', new Error(util.inspect(value)));
};

const ofFile = async ({ path: file, keys }, request) => {
  const { loaded } = await attempt('load', () => load(file));
  const called = isPlainFunction(loaded);
  const make = () => (called ? loaded(contract(request)) : loaded);
  const content = await attempt(called ? 'function' : 'promise', make);
  if (!keys) return normal(content);
  if (content === null || content === undefined) return null;
  const value = await follow(request, content, keys, called);
  return value === undefined ? null : normal(value);
};

// Where in the service's own files the error comes from.
const placeOf = (stack) => {
  const lines = stack.split('\n');
  const head = /^((?:file:\/\/)?\/.+):(\d+)$/.exec(lines[0]);
  const frames = lines.map((line) => FRAME.exec(line));
  const places = [head, ...frames].filter(Boolean).map(([, file, line, column]) => ({
    file: file.startsWith('file:') ? fileURLToPath(file) : file,
    line: Number(line),
    column: Number(column || 1),
  }));
  return places.find(({ file }) => file.startsWith(dir + '/') && !file.includes('/node_modules/'));
};

const described = (error) => {
  const { what, cause } = error instanceof Failure ? error : new Failure('function', error);
  if (!cause || typeof cause !== 'object') return { what, message: util.inspect(cause) };
  const name = cause.name && cause.name !== 'Error' ? `${cause.name}: ` : '';
  const place = placeOf(String(cause.stack || ''));
  return { what, message: name + cause.message, question: cause.question, ...place };
};

const serve = (message) => {
  const request = { id: message.id, stage: false, open: true };
  const finish = (reply) => {
    if (!request.open) return;
    request.open = false;
    requests.splice(requests.indexOf(request), 1);
    hold();
    const loaded = [...modulesOf(message.path)];
    const stage = request.stage || loaded.some((file) => stageReaders.has(file));
    const modules = require.cache[message.path] ? loaded : []; // of others it is not known
    try {
      send({ id: request.id, ...reply, stage, modules });
    } catch (error) {
      send({ id: request.id, error: described(new Failure('value', error)), stage, modules });
    }
  };
  request.fail = (error) => finish({ error: described(error) });
  requests.push(request);
  hold();
  current.run(request, () =>
    (message.do === 'service' ? service : ofFile)(message, request).then(
      (value) => finish({ value }),
      (error) => request.fail(error)
    )
  );
};

const received = (message) => {
  Object.assign(environment, message.env);
  if (message.ofStage) Object.keys(message.env).forEach((name) => ofStage.add(name));
  if (message.start) {
    ({ dir, options: given, argv } = message.start);
    argv.unshift(process.execPath, path.join(dir, 'node_modules', '.bin', 'serverless'));
  } else if (message.answer) answered(message);
  else serve(message);
};

let rest = '';
socket.setEncoding('utf8');
socket.on('data', (text) => {
  const lines = (rest + text).split('\n');
  rest = lines.pop();
  for (const line of lines) received(JSON.parse(line));
});
socket.on('end', () => process.exit());
socket.on('error', () => process.exit());
