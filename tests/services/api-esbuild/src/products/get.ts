import { answer } from '../lib/answer';
import { find } from './store';

export const handler = async (event: { pathParameters: { id: string } }) => {
  const product = find(event.pathParameters.id);
  return product ? answer(200, product) : answer(404, { error: 'no such product' });
};
