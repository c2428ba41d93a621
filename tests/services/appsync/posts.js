exports.handler = async () => [{ id: '1', title: 'first' }];
