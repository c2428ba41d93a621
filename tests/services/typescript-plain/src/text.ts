export const text = (word: string): string => `${word} from ${process.env.AWS_LAMBDA_FUNCTION_NAME}`;
