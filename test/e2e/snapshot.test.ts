import { randomUUID } from 'node:crypto';
import path from 'node:path';
import { copySampleBackend, createSampleStage, type NewMigration, projectDirectory } from '../../examples/local-aws';
import { mustSucceed, useLocalAws } from './use-local-aws';

const DROP_NAME: NewMigration = {
  revision: 'e2e000000002',
  message: 'Drop full_name of users',
  upgrade: ['# cdk-alembic: allow drop-column: a test', 'op.drop_column("users", "full_name")'],
};
const PREFIX = 'template-saas-api-migrate-lambda-dev';

describe('cdk deploy of a stage with RDS snapshots', () => {
  const shared = useLocalAws(async (aws) => {
    const backend = await copySampleBackend(aws, 'back');
    const dev = await createSampleStage(aws, 'dev', backend, { cwd: path.join(projectDirectory, 'test/e2e/snapshot-app') });
    return { backend, dev };
  });

  /** A call of RDS's API. @returns the XML */
  const rds = async (Action: string, parameters: Record<string, string>): Promise<string> => {
    const scope = `test/20260101/${shared.aws.region}/rds/aws4_request`;
    const response = await fetch(shared.aws.ministack.url, {
      method: 'POST',
      headers: { Authorization: `AWS4-HMAC-SHA256 Credential=${scope}, SignedHeaders=host, Signature=0` },
      body: new URLSearchParams({ Action, Version: '2014-10-31', ...parameters }),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(text);
    return text;
  };

  const snapshots = async (): Promise<{ name: string; tag: string | undefined }[]> => {
    const xml = await rds('DescribeDBClusterSnapshots', { DBClusterIdentifier: 'shop' });
    return [...xml.matchAll(/<DBClusterSnapshot>([\s\S]*?)<\/DBClusterSnapshot>/g)].map(([, one = '']) => ({
      name: /<DBClusterSnapshotIdentifier>(.*?)</.exec(one)?.[1] ?? '',
      tag: /<Key>cdk-alembic<\/Key><Value>(.*?)</.exec(one)?.[1],
    }));
  };

  const copy = (name: string, tag?: string): Promise<string> =>
    rds('CreateDBClusterSnapshot', {
      DBClusterIdentifier: 'shop',
      DBClusterSnapshotIdentifier: name,
      ...(tag && { 'Tags.Tag.1.Key': 'cdk-alembic', 'Tags.Tag.1.Value': tag }),
    });

  it('makes a named and tagged snapshot before a revision that destroys data, and deletes only old snapshots of its own', async () => {
    const { dev, backend } = shared.prepared;
    await rds('CreateDBCluster', {
      DBClusterIdentifier: 'shop',
      Engine: 'aurora-postgresql',
      MasterUsername: 'app',
      MasterUserPassword: 'not-used-here',
    });
    const [old, other] = [`${PREFIX}-${randomUUID()}`, `${PREFIX}-${randomUUID()}`];
    await copy(old, PREFIX);
    await copy(other, 'another-stage');
    await copy('by-hand');
    const before = await snapshots();
    // The database is empty: there is nothing to copy.
    mustSucceed(await dev.deploy());
    expect(await snapshots()).toEqual(before);
    await dev.rows("INSERT INTO users (email, full_name) VALUES ('ada@example.com', 'Ada')");
    backend.writeMigration(DROP_NAME);

    const result = await dev.deploy();

    mustSucceed(result);
    const made = (await snapshots()).filter(({ name }) => !before.some((known) => known.name === name));
    expect(made).toEqual([{ name: expect.stringMatching(new RegExp(`^${PREFIX}-[0-9a-f-]{36}$`)), tag: PREFIX }]);
    const kept = [{ name: other, tag: 'another-stage' }, { name: 'by-hand', tag: undefined }, ...made];
    expect(await snapshots()).toEqual(kept);
    expect(result.output).toContain(`= ${made[0]?.name}`);
    expect(await dev.rows('SELECT * FROM users')).toEqual([expect.not.objectContaining({ full_name: 'Ada' })]);
    expect(await dev.rows("SELECT snapshot ->> 'name' AS name FROM cdk_alembic.run WHERE snapshot IS NOT NULL")).toEqual([
      { name: made[0]?.name },
    ]);
  });
});
