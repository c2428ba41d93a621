// Calls the project's own TypeScript as serverless-plugin-typescript 2.x does. On its standard
// input is one JSON text:
//
//   place      folder to write into, absolute
//   handlers   what the functions' `handler` says
//   tsconfig   custom.serverlessPluginTypescript.tsConfigFileLocation, or null
//   extras     files that `package` names beside what is compiled
//
// What the caller has to know goes into RESULT there.
'use strict';
const fs = require('fs');
const Module = require('module');
const path = require('path');

const RESULT = '.troupe-result.json';
const OUT = '.build';

const dir = process.cwd();
const projectRequire = Module.createRequire(path.join(dir, 'package.json'));

class Failure extends Error {}

const load = () => {
  try {
    return projectRequire('typescript');
  } catch {
    throw new Failure('typescript is not installed: npm install --save-dev typescript');
  }
};

const handlerFile = (handler) => {
  const stem = handler.slice(0, handler.lastIndexOf('.') + 1);
  const found = ['ts', 'js']
    .map((ending) => stem + ending)
    .find((file) => fs.existsSync(path.join(dir, file)));
  if (!found)
    throw new Failure(`handler '${handler}': there is neither '${stem}ts' nor '${stem}js'`);
  return found;
};

const parsed = (ts, file, seen) => {
  const read = ts.parseConfigFileTextToJson(file, fs.readFileSync(file).toString());
  if (read.error) throw new Failure(ts.flattenDiagnosticMessageText(read.error.messageText, '\n'));
  const host = {
    ...ts.sys,
    readFile: (name, ...rest) => (seen.add(path.resolve(name)), ts.sys.readFile(name, ...rest)),
  };
  const all = ts.parseJsonConfigFileContent(read.config, host, path.dirname(file));
  if (all.errors.length)
    throw new Failure(
      all.errors.map((error) => ts.flattenDiagnosticMessageText(error.messageText, '\n')).join('\n')
    );
  return all;
};

const defaults = (ts) => ({
  preserveConstEnums: true,
  strictNullChecks: true,
  sourceMap: true,
  allowJs: true,
  target: ts.ScriptTarget.ES5,
  moduleResolution: ts.ModuleResolutionKind.NodeJs ?? ts.ModuleResolutionKind.Node10,
  lib: ['lib.es2015.d.ts'],
  rootDir: './',
});

const shown = (ts, diagnostic) => {
  const text = ts.flattenDiagnosticMessageText(diagnostic.messageText, '\n');
  if (!diagnostic.file) return text;
  const { line, character } = diagnostic.file.getLineAndCharacterOfPosition(diagnostic.start);
  return `${path.relative(dir, path.resolve(diagnostic.file.fileName))}:${line + 1}:${character + 1}: ${text}`;
};

// Copy, but what was compiled stays.
const copy = (place, name) => {
  const to = path.join(place, name);
  if (name.startsWith('..') || fs.existsSync(to)) return;
  fs.mkdirSync(path.dirname(to), { recursive: true });
  fs.copyFileSync(path.join(dir, name), to);
};

const main = () => {
  const job = JSON.parse(fs.readFileSync(0, 'utf8'));
  const ts = load();
  const files = new Set(
    [
      'package.json',
      'tsconfig.json',
      'node_modules/.package-lock.json',
      'node_modules/.yarn-integrity',
      'node_modules/.modules.yaml',
    ].map((name) => path.join(dir, name))
  );
  const own = path.join(dir, job.tsconfig || 'tsconfig.json');
  files.add(own).add(projectRequire.resolve('typescript/package.json'));
  const options = fs.existsSync(own)
    ? { ...parsed(ts, own, files).options, rootDir: dir }
    : defaults(ts);
  options.outDir = OUT;
  options.listEmittedFiles = true;
  const standard = path.join(dir, 'tsconfig.json');
  const listed = fs.existsSync(standard)
    ? parsed(ts, standard, files).fileNames.map((name) => name.replace(`${dir}/`, ''))
    : [];
  const roots = [...new Set([...job.handlers.map(handlerFile), ...listed])];
  const program = ts.createProgram(roots, options);
  const made = program.emit(undefined, (name, text, mark) => {
    const to = path.join(job.place, path.relative(path.join(dir, OUT), path.resolve(dir, name)));
    fs.mkdirSync(path.dirname(to), { recursive: true });
    fs.writeFileSync(to, mark ? `\ufeff${text}` : text);
  });
  const warnings = [...ts.getPreEmitDiagnostics(program), ...made.diagnostics].map((one) =>
    shown(ts, one)
  );
  if (made.emitSkipped) throw new Failure(warnings.join('\n'));
  for (const name of job.extras) copy(job.place, name);
  for (const name of job.extras) files.add(path.join(dir, name));
  const dirs = new Set([path.join(dir, 'node_modules')]);
  for (const { fileName } of program.getSourceFiles()) {
    const file = path.resolve(dir, fileName);
    files.add(file);
    if (/[\\/]node_modules[\\/]/.test(file)) continue;
    for (let at = path.dirname(file); at.length >= dir.length; at = path.dirname(at)) dirs.add(at);
  }
  copy(job.place, 'package.json');
  if (fs.existsSync(path.join(dir, 'node_modules')))
    fs.symlinkSync(path.join(dir, 'node_modules'), path.join(job.place, 'node_modules'));
  const relative = (set) => [...set].map((file) => path.relative(dir, file) || '.').sort();
  fs.writeFileSync(
    path.join(job.place, RESULT),
    JSON.stringify({
      files: relative(files),
      dirs: relative(dirs),
      warnings: warnings.map((text) => text.replace(/\n[^]*/, '')),
    })
  );
};

try {
  main();
} catch (error) {
  console.error(error instanceof Failure ? error.message : error);
  process.exit(1);
}
