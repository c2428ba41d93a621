export const handler = async (event: { Records: { messageId: string; body: string }[] }) => ({
  batchItemFailures: event.Records.filter((r) => r.body === 'bad').map((r) => ({ itemIdentifier: r.messageId })),
});
