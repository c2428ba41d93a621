import words from './words.txt';

export const handler = async () => ({ words: words.trim(), built: process.env.BUILT });
