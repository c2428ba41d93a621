// Calls the project's own esbuild. On its standard input is one JSON text:
//
//   place        folder to write into, absolute, two levels below the service
//   options      custom.esbuild, or what stands for it
//   service      the service's file, resolved, where a script of the project wants to see it
//   functions    [{key, handler}]
//   individually whether each function has a zip of its own
//
// It writes the bundles and, where modules stay outside of them, node_modules. What the caller has
// to know goes into RESULT there. Order, defaults and names are those of serverless-esbuild 1.x.
'use strict';
const { spawnSync } = require('child_process');
const fs = require('fs');
const Module = require('module');
const path = require('path');

const RESULT = '.troupe-result.json';
const EXTENSIONS = ['.ts', '.js', '.jsx', '.tsx'];
const DEFAULTS = {
  bundle: true,
  target: 'node18',
  external: [],
  exclude: ['aws-sdk'],
  packager: 'npm',
  packagerOptions: { noInstall: false, ignoreLockfile: false },
  installExtraArgs: [],
  platform: 'node',
  outputFileExtension: '.js',
};
// Options of the plugin that esbuild does not know.
const OWN = [
  'concurrency',
  'zipConcurrency',
  'exclude',
  'nativeZip',
  'packager',
  'packagePath',
  'watch',
  'keepOutputDirectory',
  'packagerOptions',
  'installExtraArgs',
  'outputFileExtension',
  'outputBuildFolder',
  'outputWorkFolder',
  'nodeExternals',
  'skipBuild',
  'skipRebuild',
  'skipBuildExcludeFns',
  'stripEntryResolveExtensions',
  'disposeContext',
];
// Options of the plugin that are not covered.
const REFUSED = ['nodeExternals', 'skipBuild', 'stripEntryResolveExtensions'];

class Failure extends Error {}

const dir = process.cwd();
const projectRequire = Module.createRequire(path.join(dir, 'package.json'));
const list = (value) =>
  (Array.isArray(value) ? value : [value]).filter((item) => typeof item === 'string');
const isMap = (value) => Boolean(value) && typeof value === 'object' && !Array.isArray(value);
const unique = (items) => [...new Set(items)];
const readJson = (file) => JSON.parse(fs.readFileSync(file, 'utf8'));
const withoutExtension = (file) => file.slice(0, -path.extname(file).length);

const merged = (base, over) => {
  const all = { ...base };
  for (const [key, value] of Object.entries(over))
    all[key] = isMap(all[key]) && isMap(value) ? merged(all[key], value) : value;
  return all;
};

// ---- options ----

// What scripts of the project are given in place of the framework's object.
const framework = (job) => ({
  service: {
    ...job.service,
    service: job.service.service,
    getAllFunctions: () => Object.keys(job.service.functions || {}),
    getFunction: (key) => job.service.functions[key],
  },
  config: { serviceDir: dir, servicePath: dir },
  serviceDir: dir,
  processedInput: { commands: ['package'], options: { stage: job.service.provider?.stage } },
  pluginManager: { plugins: [] },
});

// Load a script of the project; whether it looked into the environment shows in `seen`.
const script = (name, seen) => {
  const before = new Set(Object.keys(require.cache));
  const real = process.env;
  process.env = new Proxy(real, { get: (env, key) => ((seen.environment = true), env[key]) });
  try {
    const loaded = projectRequire(path.join(dir, name));
    for (const file of Object.keys(require.cache)) if (!before.has(file)) seen.files.push(file);
    return {
      loaded,
      done: () => {
        process.env = real;
      },
    };
  } catch (error) {
    process.env = real;
    throw error;
  }
};

const resolveOptions = (job, seen) => {
  let given = job.options;
  if (given.config) {
    const { loaded, done } = script(given.config, seen);
    given = loaded(framework(job));
    done();
  }
  const options = merged(DEFAULTS, job.target ? { target: job.target } : {});
  const all = merged(options, given);
  for (const name of REFUSED)
    if ((all[name] && Object.keys(all[name]).length !== 0) || all[name] === true)
      throw new Failure(`option '${name}' of serverless-esbuild is not supported`);
  if (typeof all.plugins === 'string') {
    const { loaded, done } = script(all.plugins, seen);
    const plugins = isMap(loaded) && 'default' in loaded ? loaded.default : loaded;
    all.plugins = typeof plugins === 'function' ? plugins(framework(job)) : plugins;
    done();
  }
  all.plugins = all.plugins || [];
  if (all.plugins.some((plugin) => plugin.name === 'node-externals'))
    throw new Failure(
      "the esbuild plugin 'node-externals' is not supported: list the modules under 'external'"
    );
  return all;
};

const isESM = (options) =>
  options.format === 'esm' || (options.platform === 'neutral' && !options.format);

// ---- bundles ----

const entryOf = ({ key, handler }, extensions) => {
  const stem = handler.slice(0, handler.lastIndexOf(path.extname(handler)));
  for (const extension of extensions)
    for (const file of [stem + extension, path.join(stem, 'index') + extension])
      if (fs.existsSync(path.join(dir, file))) return path.relative(dir, path.join(dir, file));
  throw new Failure(
    `function '${key}': there is no file '${stem}' with one of the endings ${extensions.join(', ')}`
  );
};

const esbuildOptions = (options) => {
  const exclude = list(options.exclude);
  const config = Object.fromEntries(
    Object.entries(options).filter(([name]) => !OWN.includes(name))
  );
  if (isESM(options) && options.outputFileExtension === '.cjs')
    throw new Failure(
      'format "esm" or platform "neutral" should not output a file with extension ".cjs"'
    );
  if (!isESM(options) && options.outputFileExtension === '.mjs')
    throw new Failure('only builds in format "esm" should output a file with extension ".mjs"');
  if (options.outputFileExtension !== '.js')
    config.outExtension = { '.js': options.outputFileExtension };
  config.external = [...list(options.external), ...(exclude.includes('*') ? [] : exclude)];
  return { ...config, metafile: true };
};

const bundleAll = async (esbuild, job, options, entries, warnings) => {
  const config = esbuildOptions(options);
  const results = {};
  const waiting = [...entries];
  const own = path.relative(dir, job.place).split(path.sep).join('/');
  const one = async () => {
    for (let entry; (entry = waiting.shift()) !== undefined; ) {
      const made = await esbuild.build({
        ...config,
        entryPoints: [entry],
        outdir: path.join(job.place, path.dirname(entry)),
      });
      results[entry] = made.metafile;
      for (const { location, text } of made.warnings || [])
        warnings.add(
          location ? `${location.file}:${location.line}:${location.column}: ${text}` : text
        );
      if (options.metafile)
        fs.writeFileSync(
          path.join(job.place, `${withoutExtension(entry)}-meta.json`),
          JSON.stringify(made.metafile, null, 2).split(own).join('.esbuild/.build')
        );
    }
  };
  const workers = Math.max(
    1,
    Math.min(entries.length, Number.isFinite(options.concurrency) ? options.concurrency : Infinity)
  );
  await Promise.all(Array.from({ length: workers }, one));
  return results;
};

// ---- modules outside of the bundles ----

const PACKAGERS = {
  npm: {
    lock: 'package-lock.json',
    sections: [],
    install: (o, locked) => [
      [!o.packagerOptions.ignoreLockfile && locked ? 'ci' : 'install', ...o.installExtraArgs],
      ['prune'],
    ],
  },
  pnpm: {
    lock: 'pnpm-lock.yaml',
    sections: [],
    install: (o) => [['install', '--no-frozen-lockfile', ...o.installExtraArgs], ['prune']],
  },
  yarn: {
    lock: 'yarn.lock',
    sections: ['resolutions'],
    install: (o, locked, place) => {
      if (o.packagerOptions.noInstall) return [];
      const berry = parseInt(capture('yarn', ['-v'], place), 10) > 1;
      const words = (frozen, extra) => [
        'install',
        ...(frozen ? (berry ? ['--immutable'] : ['--frozen-lockfile']) : []),
        ...(berry ? [] : ['--non-interactive']),
        ...extra,
      ];
      return [
        words(!o.packagerOptions.ignoreLockfile && locked, o.installExtraArgs),
        words(!o.packagerOptions.ignoreLockfile, []),
      ];
    },
  },
};

const call = (command, words, cwd, stdio) => {
  const done = spawnSync(command, words, {
    cwd,
    stdio: ['ignore', stdio, 'inherit'],
    encoding: 'utf8',
  });
  if (done.error) throw new Failure(`cannot run ${command}: ${done.error.message}`);
  if (done.status !== 0) throw new Failure(`'${command} ${words.join(' ')}' has failed`);
  return done.stdout;
};
const capture = (command, words, cwd) => call(command, words, cwd, 'pipe');

const upwards = (names) => {
  for (let at = dir; ; at = path.dirname(at)) {
    if (names.some((name) => fs.existsSync(path.join(at, name)))) return at;
    if (path.dirname(at) === at) return undefined;
  }
};

// References to folders are seen from the place, where the modules are installed.
const rebased = (root, version) => {
  if (!/^(?:file:[^/]{2}|\.\/|\.\.\/)/.test(version)) return version;
  const file = version.replace(/^file:/, '');
  return `${version.startsWith('file:') ? 'file:' : ''}${root}/${file}`;
};

const neededModules = (names, packageFile, rootFile, exclude) => {
  const packageJson = readJson(packageFile);
  const found = {};
  if (!packageJson.dependencies) return found;
  for (const name of names) {
    const asked = packageJson.dependencies[name];
    if (!asked && packageJson.devDependencies?.[name] && name !== 'aws-sdk')
      throw new Failure(
        `'${name}' is needed at run time, and package.json has it under 'devDependencies': move it to 'dependencies'`
      );
    if (!asked) continue;
    found[name] = asked;
    const own = [packageFile, rootFile]
      .map((file) => path.join(path.dirname(file), 'node_modules', name, 'package.json'))
      .find((file) => fs.existsSync(file));
    const installed = own ? readJson(own) : {};
    const optional = Object.entries(installed.peerDependenciesMeta || {})
      .filter(([, v]) => v.optional)
      .map(([n]) => n);
    const peers = Object.keys(installed.peerDependencies || {}).filter(
      (n) => !optional.includes(n) && !exclude.includes(n)
    );
    Object.assign(found, peers.length ? neededModules(peers, packageFile, rootFile, exclude) : {});
  }
  return found;
};

const rebasedYarnLock = (root, text) => {
  let rebasedText = text;
  for (const match of text.matchAll(/[^"/]@(?:file:)?((?:\.\/|\.\.\/).*?)[":,]/gm))
    rebasedText = rebasedText.replace(match[1], `${root}/${match[1]}`);
  return rebasedText;
};

const installModules = (job, options, externals, seen) => {
  const packager = PACKAGERS[options.packager];
  if (!packager) throw new Failure(`there is no packager '${options.packager}': npm, pnpm or yarn`);
  const rootFile = path.join(
    upwards(['yarn.lock', 'pnpm-lock.yaml', 'package-lock.json']) || dir,
    'package.json'
  );
  const packageDir = upwards(['package.json']);
  const packageFile = options.packagePath
    ? path.resolve(dir, options.packagePath)
    : packageDir && path.join(packageDir, 'package.json');
  if (!packageFile || !fs.existsSync(packageFile))
    throw new Failure("there is no package.json, which has the versions of what is 'external'");
  const modules = neededModules(externals, packageFile, rootFile, list(options.exclude));
  const lock = path.join(path.dirname(packageFile), packager.lock);
  seen.files.push(rootFile, packageFile, lock);
  if (!Object.keys(modules).length) return;
  const rootJson = readJson(rootFile);
  const source = rootJson.workspaces ? readJson(packageFile) : rootJson;
  const relative = path.relative(job.place, path.dirname(packageFile));
  const scripts = Object.fromEntries(
    list(options.packagerOptions.scripts || []).map((text, i) => [`script${i}`, text])
  );
  const made = {
    name: job.name,
    version: '1.0.0',
    description: `Packaged externals for ${job.name}`,
    private: true,
    scripts,
  };
  for (const section of packager.sections) if (section in source) made[section] = source[section];
  made.dependencies = {};
  for (const [name, version] of Object.entries(modules))
    made.dependencies[name] = rebased(relative, version);
  fs.writeFileSync(path.join(job.place, 'package.json'), JSON.stringify(made, null, 2));
  const locked = fs.existsSync(lock);
  if (locked) {
    const text = fs.readFileSync(lock, 'utf8');
    fs.writeFileSync(
      path.join(job.place, packager.lock),
      options.packager === 'yarn' ? rebasedYarnLock(relative, text) : text
    );
  }
  for (const words of packager.install(options, locked, job.place))
    call(options.packager, words, job.place, 'inherit');
  for (const name of Object.keys(scripts))
    call(options.packager, ['run', name], job.place, 'inherit');
};

// The modules at the top of node_modules that the module in `folder` needs, added to `found`.
const addNeeded = (place, folder, found) => {
  const file = path.join(folder, 'package.json');
  if (!fs.existsSync(file)) return;
  const json = readJson(file);
  for (const name of Object.keys({
    ...json.dependencies,
    ...json.optionalDependencies,
    ...json.peerDependencies,
  }))
    for (let at = folder; at.length >= place.length; at = path.dirname(at)) {
      const there = path.join(at, 'node_modules', name);
      if (!fs.existsSync(there)) continue;
      if (at !== place) addNeeded(place, there, found);
      else if (!found.has(name)) addNeeded(place, there, found.add(name));
      break;
    }
};

const baseName = (name) => /^@[^/]+\/[^/\n]+|^[^/\n]+/.exec(name)?.[0];

// What the bundle of `entry` imports of the externals, with all that those need.
const allowedModules = (job, options, externals, metafile) => {
  const found = new Set();
  const imports = Object.values(metafile.outputs)
    .filter((output) => output.entryPoint)
    .flatMap((output) => output.imports || [])
    .filter(
      (one) =>
        one.external && ['require-call', 'import-statement', 'dynamic-import'].includes(one.kind)
    );
  for (const name of unique(imports.map((one) => baseName(one.path)))) {
    const there = path.join(job.place, 'node_modules', String(name));
    if (!externals.includes(name) || !fs.existsSync(there) || found.has(name)) continue;
    found.add(name);
    if (options.packager !== 'pnpm') addNeeded(job.place, there, found);
  }
  return [...found];
};

// ---- what was read ----

const addTsconfig = (file, files) => {
  if (files.has(file)) return;
  files.add(file);
  if (!fs.existsSync(file)) return;
  const extended = /"extends"\s*:\s*(\[[^\]]*\]|"[^"]*")/.exec(fs.readFileSync(file, 'utf8'));
  for (const [, name] of extended ? extended[1].matchAll(/"([^"]+)"/g) : []) {
    const found =
      name.startsWith('.') || path.isAbsolute(name)
        ? [name, `${name}.json`]
            .map((one) => path.resolve(path.dirname(file), one))
            .find((one) => fs.existsSync(one) && fs.statSync(one).isFile())
        : (() => {
            try {
              return Module.createRequire(file).resolve(name);
            } catch {
              return undefined;
            }
          })();
    if (found) addTsconfig(found, files);
  }
};

// Files, and folders whose names decide what an import finds.
const readPaths = (options, metafiles, seen, esbuildFile) => {
  const files = new Set(seen.files);
  const dirs = new Set([path.join(dir, 'node_modules')]);
  files.add(esbuildFile);
  for (const name of ['.package-lock.json', '.yarn-integrity', '.modules.yaml'])
    files.add(path.join(dir, 'node_modules', name));
  if (options.tsconfig) addTsconfig(path.resolve(dir, options.tsconfig), files);
  for (const input of new Set(metafiles.flatMap((meta) => Object.keys(meta.inputs)))) {
    const file = path.resolve(dir, input.replace(/[?#].*$/, ''));
    if (!fs.existsSync(file)) continue;
    files.add(file);
    const inModule = /^(.*[\\/]node_modules[\\/](?:@[^\\/]+[\\/])?[^\\/]+)[\\/]/.exec(file);
    if (inModule) files.add(path.join(inModule[1], 'package.json'));
    else dirs.add(path.dirname(file));
  }
  const above = new Set([dir]);
  for (const folder of dirs)
    for (let at = folder; !above.has(at); at = path.dirname(at)) above.add(at);
  for (let at = dir; path.dirname(at) !== at; at = path.dirname(at)) above.add(path.dirname(at));
  for (const folder of above) {
    if (/[\\/]node_modules$/.test(folder)) continue;
    files.add(path.join(folder, 'package.json'));
    addTsconfig(path.join(folder, 'tsconfig.json'), files);
    addTsconfig(path.join(folder, 'jsconfig.json'), files);
  }
  const shown = (set) => [...set].map((file) => path.relative(dir, file) || '.').sort();
  return { files: shown(files), dirs: shown(dirs) };
};

// ---- all of it ----

const main = async () => {
  const job = JSON.parse(fs.readFileSync(0, 'utf8'));
  const seen = { files: [], environment: false };
  const warnings = new Set();
  const esbuildFile = projectRequire.resolve('esbuild/package.json');
  const options = resolveOptions(job, seen);
  const entries = Object.fromEntries(
    job.functions.map((fn) => [fn.key, entryOf(fn, options.resolveExtensions ?? EXTENSIONS)])
  );
  const metafiles = await bundleAll(
    projectRequire('esbuild'),
    job,
    options,
    unique(Object.values(entries)),
    warnings
  );
  const exclude = list(options.exclude);
  const externals = exclude.includes('*')
    ? []
    : list(options.external).filter((name) => !exclude.includes(name));
  if (externals.length) installModules(job, options, externals, seen);
  const bundles = {},
    allowed = {};
  for (const [key, entry] of Object.entries(entries)) {
    bundles[key] = entry.slice(0, entry.lastIndexOf('.')) + options.outputFileExtension;
    if (externals.length && job.individually)
      allowed[key] = allowedModules(job, options, externals, metafiles[entry]);
  }
  const read = readPaths(options, Object.values(metafiles), seen, esbuildFile);
  // what an esbuild plugin reads, and what a script reads from the environment, nobody knows
  if (options.plugins.length || seen.environment) read.files = null;
  fs.writeFileSync(
    path.join(job.place, RESULT),
    JSON.stringify({
      ...read,
      bundles,
      allowed,
      externals: externals.length > 0,
      warnings: [...warnings],
    })
  );
};

main().catch((error) => {
  // esbuild has told its own errors already
  if (error instanceof Failure) console.error(error.message);
  else if (!Array.isArray(error?.errors)) console.error(error);
  process.exit(1);
});
