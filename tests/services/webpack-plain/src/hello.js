import { greeting } from './greeting';

export const handler = async () => ({ statusCode: 200, body: greeting(process.env.STAGE) });
