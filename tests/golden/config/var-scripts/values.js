'use strict';

class Settings {
  get region() {
    return 'eu-west-1';
  }
}

module.exports = {
  text: 'a text',
  number: 0.5,
  no: false,
  list: ['a', { b: 1 }, '${self:custom.map.x}'],
  deep: { er: { x: '${self:custom.map.x}-y' } },
  map: '${self:custom.map}',
  nothing: null,
  promise: Promise.resolve({ inner: [1, 2] }),
  stage: ({ options }) => options.stage || 'none',
  given: ({ options }) => options['no-such-option'] === undefined,
  function: async ({ resolveVariable }) => ({ inner: { y: await resolveVariable('self:custom.map.y') } }),
  made: () => ({ later: 'not called again', function: () => 'left out' }),
  environment: () => ({ own: process.env.OWN, file: process.env.FROM_FILE, none: process.env.NONE || 'none' }),
  proxy: new Proxy({}, { get: (target, key) => `made for ${String(key)}` }),
  inherited: Object.assign(new Settings(), { own: 1 }),
  date: { made: new Date(0), nested: { undefined: undefined, list: [undefined, () => 1] } },
  argv: process.argv.slice(2).includes('--stage'),
};
