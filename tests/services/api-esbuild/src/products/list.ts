import { answer } from '../lib/answer';
import { all } from './store';

export const handler = async () => answer(200, { stage: process.env.STAGE, products: all() });
