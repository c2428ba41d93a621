'use strict';

// Change this, deploy one stage, and see that the other one keeps its greeting.
module.exports = 'Welcome to the shop';
