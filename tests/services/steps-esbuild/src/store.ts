export const handler = async (parsed: { file: string }) => parsed.file;
