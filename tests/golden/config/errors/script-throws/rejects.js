module.exports = {
  get getter() { throw new Error('not here'); },
  text: () => { throw 'a text'; },
};
