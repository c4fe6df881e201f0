import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { parseJson } from '../../../../lib/client/json';
import { MigrateError } from '../../../../lib/contract';

/** Calls the user's function with `{}`; it returns an array of names or tenants. */
export async function fromFunction(functionName: string): Promise<unknown[]> {
  const lambda = new LambdaClient();
  const { FunctionError, Payload } = await lambda.send(new InvokeCommand({ FunctionName: functionName, Payload: '{}' }));
  const text = Payload?.transformToString() ?? '';
  const next = `see its log group /aws/lambda/${functionName}; it must return an array of names or of objects with name, schema and secretArn`;
  if (FunctionError)
    throw new MigrateError(
      'tenants_unavailable',
      `the function ${functionName} that lists the tenants failed: ${text.slice(0, 500)}`,
      next,
    );
  const items = parseJson(text);
  if (!Array.isArray(items)) {
    throw new MigrateError(
      'tenants_unavailable',
      `the function ${functionName} did not return an array of tenants: ${text.slice(0, 100) || 'nothing'}`,
      next,
    );
  }
  return items;
}
