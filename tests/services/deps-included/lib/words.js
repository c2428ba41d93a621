exports.words = ['a', 'b', 'c', 'd'];
