import { text } from './src/text';

export const hello = async (event: any): Promise<object> => ({ statusCode: 200, body: text('hello') });
