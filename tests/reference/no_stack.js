// Preloaded by bless.py: for services with layers of their own the reference asks CloudFormation what
// it deployed last. There is no network, so the answer is the one for a stack that was never made.
'use strict';

const Module = require('module');
const load = Module._load;

Module._load = function (name, ...rest) {
  const made = load.call(this, name, ...rest);
  if (!/aws\/request$/.test(name) || typeof made !== 'function') return made;
  const answer = async (service, method) => {
    throw new Error(`Stack with id golden does not exist (${method})`);
  };
  return Object.assign(answer, { memoized: answer });
};
