import { type AttributeValue, DynamoDBClient, ScanCommand } from '@aws-sdk/client-dynamodb';
import type { TenantSourceSettings } from '../../../../lib/contract/coordinator';

type Table = Extract<TenantSourceSettings, { kind: 'table' }>;

/** Each item of the table is a tenant. */
export async function fromTable({ tableName, nameAttribute, schemaAttribute, secretArnAttribute }: Table): Promise<unknown[]> {
  const attributes = { name: nameAttribute, schema: schemaAttribute, secretArn: secretArnAttribute };
  const named = Object.entries(attributes).filter((entry): entry is [string, string] => entry[1] !== undefined);
  const dynamoDb = new DynamoDBClient();
  const tenants: unknown[] = [];
  let ExclusiveStartKey: Record<string, AttributeValue> | undefined;
  do {
    const page = await dynamoDb.send(
      new ScanCommand({
        TableName: tableName,
        // Includes tenants that were added a moment ago.
        ConsistentRead: true,
        ProjectionExpression: named.map(([key]) => `#${key}`).join(', '),
        ExpressionAttributeNames: Object.fromEntries(named.map(([key, attribute]) => [`#${key}`, attribute])),
        ExclusiveStartKey,
      }),
    );
    for (const item of page.Items ?? []) {
      tenants.push(Object.fromEntries(named.map(([key, attribute]) => [key, textOf(item[attribute])])));
    }
    ExclusiveStartKey = page.LastEvaluatedKey;
  } while (ExclusiveStartKey);
  return tenants;
}

/** A number is also a valid name. */
function textOf(value: AttributeValue | undefined): string | null {
  return value?.S ?? value?.N ?? null;
}
