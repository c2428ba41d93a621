import { name } from './shared';

export const handler = async (): Promise<string> => name('first');
