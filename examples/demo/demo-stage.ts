import { isDeepStrictEqual } from 'node:util';
import {
  copySampleBackend,
  createSampleStage,
  type LocalAws,
  type NewMigration,
  projectDirectory,
  type RunResult,
} from '../local-aws';
import { showCdkProgress } from './cdk-progress';
import type { Screen } from './screen';

/** What the demo checks in the database after every step. */
export interface DatabaseState {
  readonly version: readonly string[];
  readonly tables: readonly string[];
  readonly userColumns: readonly string[];
  readonly users: number;
}

/** The sample's stage `dev`; shows on the screen what happens to it. */
export interface DemoStage {
  deploy(flag?: '--hotswap'): Promise<RunResult>;
  destroy(): Promise<RunResult>;
  /** Runs the command by hand. */
  migrateInvoke(...args: string[]): Promise<RunResult>;
  /** Revisions in the backend, from the first to the newest. */
  revisions(): string[];
  writeMigration(migration: NewMigration): void;
  addUsers(): Promise<void>;
  state(): Promise<DatabaseState>;
  /** Shows the database's current content. */
  show(): Promise<void>;
}

export async function createDemoStage(screen: Screen, aws: LocalAws): Promise<DemoStage> {
  const backend = await copySampleBackend(aws, 'back');
  const stage = await createSampleStage(aws, 'dev', backend);
  const state = async (): Promise<DatabaseState> => {
    const tables = await stage.tables();
    const users = tables.includes('users') ? await stage.rows<{ count: number }>('SELECT count(*)::int FROM users') : [];
    return { version: await stage.version(), tables, userColumns: await stage.columns('users'), users: users[0]?.count ?? 0 };
  };
  const onLine = showCdkProgress(screen);

  return {
    state,
    revisions: () => backend.revisions(),
    deploy(flag) {
      screen.command(`npx cdk deploy -c stage=dev ${flag ?? ''}`.trimEnd());
      screen.status('packaging the backend');
      return stage.deploy({ onLine, hotswap: flag === '--hotswap' });
    },
    destroy() {
      screen.command('npx cdk destroy -c stage=dev');
      return stage.destroy({ onLine });
    },
    migrateInvoke(...args) {
      screen.command(`npx migrate-invoke --stage dev ${args.join(' ')}`.trimEnd());
      const onLine = (line: string): void => (line.startsWith('npm ') ? undefined : screen.say(line));
      return aws.run('npx', ['migrate-invoke', '--stage', 'dev', ...args], { cwd: projectDirectory, onLine });
    },
    writeMigration(migration) {
      screen.say(`back/${backend.writeMigration(migration)}:`);
      for (const line of migration.upgrade) screen.say(`    ${line}`);
    },
    async addUsers() {
      await stage.rows("INSERT INTO users (email, full_name) VALUES ('ada@example.com', 'Ada'), ('grace@example.com', 'Grace')");
      screen.say('two people sign up: users now has rows');
    },
    async show() {
      const { version, tables, userColumns, users } = await state();
      screen.table([
        ['revision', version.join(', ') || 'none'],
        ['tables', tables.join(', ') || 'none'],
        ['users', `${users} rows: ${userColumns.join(', ')}`],
      ]);
    },
  };
}

/** Stops the demo if a promise is not kept. */
export function expectThat(screen: Screen, promise: string, actual: unknown, expected: unknown, output = ''): void {
  if (isDeepStrictEqual(actual, expected)) {
    screen.good(promise);
    return;
  }
  const found = `expected ${JSON.stringify(expected)}, found ${JSON.stringify(actual)}`;
  throw new Error(`not so: ${promise}: ${found}${output && `\n${output}`}`);
}
