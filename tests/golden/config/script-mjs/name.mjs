export const name = 'svc';
