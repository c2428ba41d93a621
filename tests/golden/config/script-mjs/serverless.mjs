import { name } from './name.mjs';

export const other = 1;
export default { service: await Promise.resolve(name), provider: { name: 'aws', runtime: 'nodejs22.x' }, functions: { a: { handler: 'a.main' } } };
