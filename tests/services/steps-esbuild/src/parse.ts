export const handler = async (file: string) => ({ file, lines: file.length });
