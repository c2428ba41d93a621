export const run = async () => 'reported';
