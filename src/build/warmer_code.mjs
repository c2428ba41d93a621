// Calls functions so that they stay warm, as serverless-plugin-warmup does. What is called stands in
// the zip, or in the environment of a function whose stages have the same zip.
import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';

const inZip = null;
const warmer = inZip ?? JSON.parse(process.env.WARMUP_FUNCTIONS);
const { config, functions, prefixes, verbose } = warmer;

const client = new LambdaClient({ requestHandler: { connectionTimeout: 1000 } });

const log = (text) => {
  if (verbose) console.log(text);
};

// Variables of the environment have the names of functions as without stages.
const variableOf = (name) => {
  const [shared, staged] = prefixes ?? ['', ''];
  const full = name.startsWith(shared) ? staged + name.slice(shared.length) : name;
  return `WARMUP_CONCURRENCY_${full.toUpperCase().replace(/-/g, '_')}`;
};

const concurrencyOf = (name, own) => {
  const given = process.env[variableOf(name)] || process.env.WARMUP_CONCURRENCY || own;
  log(`Warming up function: ${name} with concurrency: ${parseInt(given)}`);
  return parseInt(given);
};

const warm = async ({ name, config: own = config }) => {
  const context = own.clientContext !== undefined ? own.clientContext : own.payload;
  const command = new InvokeCommand({
    ClientContext: context ? Buffer.from(`{"custom":${context}}`).toString('base64') : undefined,
    FunctionName: name,
    InvocationType: 'RequestResponse',
    LogType: 'None',
    Qualifier: own.alias || process.env.SERVERLESS_ALIAS,
    Payload: own.payload,
  });
  try {
    const calls = Array(concurrencyOf(name, own.concurrency)).fill(command);
    await Promise.all(calls.map((one) => client.send(one)));
    log(`Warm Up Invoke Success: ${name}`);
    return true;
  } catch (error) {
    console.error(`Warm Up Invoke Error: ${name}`, error);
    return false;
  }
};

export const warmUp = async () => {
  log('Warm Up Start');
  const done = await Promise.all(
    functions.map((one) => warm(typeof one === 'string' ? { name: one } : one))
  );
  log(`Warm Up Finished with ${done.filter((well) => !well).length} invoke errors`);
};
