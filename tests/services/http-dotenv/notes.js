import { greet } from './greet';

export const handler = async () => ({ greeting: greet(process.env.GREETING), local: process.env.LOCAL_ONLY ?? null });
