export const name = (which: string): string => `the ${which} one`;
