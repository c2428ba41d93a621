export const greet = (text) => text.toUpperCase();
