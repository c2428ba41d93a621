import { text } from './text';

export const main = async () => text('goodbye');
