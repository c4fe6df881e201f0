import { parseJson } from '../../../../lib/client/json';
import { MigrateError } from '../../../../lib/contract';
import { Store } from '../../files/store';

/** A JSON array, or JSON lines. */
export async function fromObject({ bucket, key }: { bucket: string; key: string }): Promise<unknown[]> {
  const text = await new Store(bucket).text(key);
  if (text === undefined)
    throw new MigrateError('tenants_unavailable', `s3://${bucket}/${key} does not exist`, 'put the list of tenants there');
  const whole = parseJson(text);
  if (Array.isArray(whole)) return whole;
  const lines = text.split(/\r?\n/).filter((line) => line.trim() !== '');
  const items = lines.map(parseJson);
  const broken = items.indexOf(undefined);
  if (broken === -1) return items;
  throw new MigrateError(
    'tenants_unavailable',
    `s3://${bucket}/${key} is neither a JSON array nor JSON lines: ${JSON.stringify(lines[broken]?.slice(0, 60))} is not JSON`,
    'write one tenant per line, each a name in quotes or an object with name, schema and secretArn',
  );
}
