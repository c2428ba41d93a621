export const greeting = (stage) => `packed for ${stage}`;
