import { cpSync, rmSync } from 'node:fs';
import path from 'node:path';
import { projectDirectory } from '../../examples/local-aws';
import type { Tenant } from '../../lib/contract/tenants';
import type { Backend } from './backends';
import { copyDatabase, createDatabase, type Database } from './database';
import { idOf, soundSteps, writeVersions } from './histories';
import type { TestBed } from './test-bed';
import { virtualEnvironment } from './virtual-environment';

/** A backend with a schema per tenant and two revisions: one creates a table, the other adds two columns. */
export interface TenantBackend extends Backend {
  /** The revision before the head. */
  readonly before: string;
}

const SAMPLE = path.join(projectDirectory, 'examples', 'template-saas-tenants', 'back');

/** Reading a version table holds locks until the statement ends. */
const AT_ONCE = 1000;

/** The sample with a schema for every tenant, and a history of two revisions: small enough that 10,000 tenants are made in seconds. */
export function tenantBackend(testBed: TestBed): Promise<TenantBackend> {
  return testBed.once('tenants', async (directory) => {
    const made = new Set(['.venv', '.pytest_cache', '.ruff_cache', '__pycache__', 'uv.lock']);
    cpSync(SAMPLE, directory, { recursive: true, filter: (source) => !made.has(path.basename(source)) });
    const versions = path.join(directory, 'alembic', 'versions');
    rmSync(versions, { recursive: true });
    writeVersions(versions, soundSteps(5).slice(0, 2));
    await testBed.run({ command: 'uv', args: ['lock', '--directory', directory] });
    return { directory, before: idOf(1), head: idOf(2), tables: 1 };
  });
}

/** The virtual environment in which `alembic` runs for it. */
export async function alembicForTenants(testBed: TestBed, backend: TenantBackend): Promise<string> {
  return path.join(await virtualEnvironment(testBed, backend, 'venv-tenants'), 'alembic');
}

/** Tenants in a database of their own, each where `alembic upgrade` left it. */
export interface Tenants {
  readonly database: Database;
  readonly all: readonly Tenant[];
  /** Fails unless this number of tenants is at this revision. */
  expectAt(revision: string, count: number): Promise<void>;
}

/** Makes tenants that have the first revision and lack the second, or have both: by what `alembic upgrade --sql` prints, run in each schema. */
export async function createTenants(
  testBed: TestBed,
  backend: TenantBackend,
  count: number,
  revision: string = backend.before,
): Promise<Tenants> {
  const database = await createDatabase(testBed, testBed.newName(`tenants-${count}`));
  const all = Array.from({ length: count }, (_, index) => ({ name: `tenant_${String(index + 1).padStart(5, '0')}` }));
  const tenants = { database, all, expectAt: expectAt(testBed, database, all) };
  await testBed.postgres.query(database.name, VERSION_OF);
  const script = await offline(testBed, backend, database, ['upgrade', revision]);
  const make = (half: number) => {
    const mine = all.filter((_, index) => index % 2 === half);
    return testBed.postgres.query(database.name, inEachSchema(mine, script, 'CREATE SCHEMA %I'));
  };
  // Two connections: this takes as long as all measurements.
  await Promise.all([make(0), make(1)]);
  // Autovacuum does this on other servers; here it is off.
  await testBed.postgres.query(database.name, 'ANALYZE pg_class, pg_namespace, pg_attribute, pg_index, pg_type, pg_constraint');
  await tenants.expectAt(revision, count);
  return tenants;
}

/** Takes tenants that are at head back to the revision before, by what `alembic downgrade --sql` prints. */
export async function setBack(
  testBed: TestBed,
  backend: TenantBackend,
  { database, expectAt }: Tenants,
  some: readonly Tenant[],
): Promise<void> {
  const script = await offline(testBed, backend, database, ['downgrade', `${backend.head}:${backend.before}`]);
  await testBed.postgres.query(database.name, inEachSchema(some, script));
  await expectAt(backend.before, some.length);
}

/** Copies the tenants at their revisions. The original must have no connections. */
export async function copyTenants(testBed: TestBed, { database: original, all }: Tenants): Promise<Tenants> {
  const database = await copyDatabase(testBed, testBed.newName('tenants-copy'), original);
  return { database, all, expectAt: expectAt(testBed, database, all) };
}

/** Qualifies the version table with a schema, in a script that runs in many schemas. */
const ANY = 'any_tenant';

async function offline(
  testBed: TestBed,
  backend: TenantBackend,
  { env }: Database,
  [command, range]: readonly [string, string],
): Promise<string> {
  const args = ['-x', `tenant=${ANY}`, command, range, '--sql'];
  const { stdout } = await testBed.run({ command: await alembicForTenants(testBed, backend), args, cwd: backend.directory, env });
  return stdout.replaceAll(/^(BEGIN|COMMIT);$/gm, '').replaceAll(`${ANY}.`, '');
}

/** @param first a statement that is run before, for which `%I` is the schema */
function inEachSchema(some: readonly Tenant[], script: string, first = 'SET LOCAL search_path TO %I'): string {
  return `DO $make$
    DECLARE schema text; number int := 0;
    BEGIN
      FOREACH schema IN ARRAY '{${some.map(({ name }) => name).join()}}'::text[] LOOP
        EXECUTE format('${first}', schema);
        EXECUTE format('SET LOCAL search_path TO %I', schema);
        EXECUTE $script$${script}$script$;
        number := number + 1;
        -- Each relation is a lock until then.
        IF number % 20 = 0 THEN COMMIT; END IF;
      END LOOP;
    END $make$`;
}

const VERSION_OF = `CREATE FUNCTION public.version_of(tenant text) RETURNS text LANGUAGE plpgsql AS $$
  DECLARE found text;
  BEGIN
    EXECUTE format('SELECT string_agg(version_num, '','') FROM %I.alembic_version', tenant) INTO found;
    RETURN found;
  END $$`;

/** By all version tables, and by what the second revision does. */
function expectAt({ postgres }: TestBed, { name }: Database, all: readonly Tenant[]): Tenants['expectAt'] {
  return async (revision, count) => {
    const found = new Map<string, number>();
    for (let from = 0; from < all.length; from += AT_ONCE) {
      const schemas = all.slice(from, from + AT_ONCE).map((tenant) => tenant.name);
      const rows = await postgres.query<{ version: string }>(
        name,
        'SELECT version_of(schema) AS version FROM unnest($1::text[]) AS schema',
        [schemas],
      );
      for (const { version } of rows) found.set(version, (found.get(version) ?? 0) + 1);
    }
    const columns = "SELECT count(*)::int AS count FROM pg_attribute WHERE attname = 'note' AND attrelid >= 16384";
    const upgraded = (await postgres.query<{ count: number }>(name, columns))[0]?.count;
    if ((found.get(revision) ?? 0) === count && upgraded === (found.get(idOf(2)) ?? 0)) return;
    const seen = [...found].map(([version, tenants]) => `${tenants} at ${version}`).join(', ');
    throw new Error(`${count} tenants should be at ${revision}: there are ${seen}, and ${upgraded} with the columns of the last`);
  };
}
