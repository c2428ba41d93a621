export const handler = async (): Promise<string[]> => ['an event'];
