'use strict';

const COLORS = { main: 'green', dev: 'blue' };

module.exports = class Colors {
  constructor() {
    this.hooks = {};
    this.configurationVariablesSources = {
      color: { resolve: async ({ address }) => ({ value: COLORS[address] || 'grey' }) },
    };
  }
};
