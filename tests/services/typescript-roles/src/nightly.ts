export const run = async (event: { kind?: string }) => ({ ran: event.kind ?? 'nothing' });
