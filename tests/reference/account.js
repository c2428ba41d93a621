// Preloaded by bless.py: the answers of an account, because there is no network. There is no stack of
// the service yet; every tag in a registry stands for one digest, and what is pushed has another
// (tests/reference/docker).
'use strict';

const Module = require('module');
const load = Module._load;

const ACCOUNT = '123456789012';
const answers = {
  getCallerIdentity: () => ({ Account: ACCOUNT, Arn: `arn:aws:iam::${ACCOUNT}:user/golden` }),
  describeImages: () => ({ imageDetails: [{ imageDigest: `sha256:${'a'.repeat(64)}` }] }),
  describeRepositories: ({ repositoryNames: [name] }) => ({
    repositories: [{ repositoryUri: `${ACCOUNT}.dkr.ecr.us-east-1.amazonaws.com/${name}` }],
  }),
  putLifecyclePolicy: () => ({}),
};

Module._load = function (name, ...rest) {
  const made = load.call(this, name, ...rest);
  if (!/aws\/request$/.test(name) || typeof made !== 'function') return made;
  const answer = async (service, method, params) => {
    if (answers[method]) return answers[method](params);
    throw new Error(`Stack with id golden does not exist (${method})`);
  };
  return Object.assign(answer, { memoized: answer });
};
