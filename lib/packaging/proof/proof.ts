import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { DatabaseVariables } from '../../contract';
import { packagePath } from '../../package-root';
import { PackagingError } from '../errors';
import type { Distribution } from '../imported/installed';
import { uv } from '../uv';

/** The result of loading a package, from lib/packaging/load_project. */
export interface Proof {
  /** An imported module that no distribution has. */
  readonly missing?: {
    readonly module: string;
    readonly by: string;
    /** Unset environment variables that the backend read before the import failed, the last one first. */
    readonly unset: readonly string[];
    /** Unset environment variables of the backend's classes of settings, which may have defaults. */
    readonly unsetSettings: readonly string[];
    /** Whether the backend imports it from a package of its own. */
    readonly own?: boolean;
  };
  /** The command that runs Alembic, such as `flask db`. Absent: the project did not load far enough. */
  readonly command?: string;
  /** What the runner would refuse in the order of the revisions, with the remedy. */
  readonly refused?: string;
  /** Any other reason why env.py or the revisions did not load. */
  readonly unproved?: string;
  /** The failure that the function would have too, with the same settings. */
  readonly fails?: {
    readonly reason: string;
    /** Whether no setting avoids it. */
    readonly inCode: boolean;
    /** Whether a file of the backend has a syntax error. */
    readonly wrongSyntax?: boolean;
    /** Whether the function's connection might avoid it. */
    readonly isLikely?: boolean;
    /** Whether the backend writes beside its code. */
    readonly writes?: boolean;
    /** Unset environment variables that the backend read before. */
    readonly unset: readonly string[];
    /** Unset environment variables that the failure is about. */
    readonly required: readonly string[];
    /** The function's variables whose values the failure is about. */
    readonly wrong?: readonly string[];
    /** Names of arguments of Alembic's option -x that env.py looked for and that the function does not pass. */
    readonly arguments?: readonly string[];
    /** The path in the backend that it needs and the package does not have. */
    readonly absent?: string | null;
    /** Whether a revision fails, and not env.py. */
    readonly inRevision?: boolean;
  };
  /** Whether it may load with another driver in the database's URL. */
  readonly otherDriver?: boolean;
  /** Where env.py connects, if the function's database can't be there. */
  readonly elsewhere?: {
    readonly address: string;
    /** Whether it is PostgreSQL: the function replaces the address. */
    readonly isPostgres: boolean;
    /** The line that connects; empty if unknown. */
    readonly by: string;
    /** The variables of settings whose default is this address. */
    readonly settings: readonly string[];
    /** Unset environment variables that the backend read before. */
    readonly unset: readonly string[];
  };
  /** The first address, other than the database's, to which the project or a library connects when it is loaded, and the line. */
  readonly connects?: { readonly address: string; readonly by: string };
  /** The line of Flask's application that connects to the database when it is loaded, and can't go on without; empty if unknown. */
  readonly loadConnects?: string;
  /** Distributions with libraries for another machine, as `name==version`. */
  readonly foreign?: readonly string[];
  /** What the project uses, if requested and if it loaded. */
  readonly used?: Used;
}

/** What a project uses. */
export interface Used {
  /** Names of distributions. */
  readonly distributions: readonly string[];
  /** The files that every run loads, relative to the package. */
  readonly files: readonly string[];
}

/** What is installed in a package, to find out what it uses. */
export interface Installed {
  /** The folders of its scripts and revisions. */
  readonly paths: readonly string[];
  readonly distributions: readonly Distribution[];
}

/** What a package is loaded with. */
export interface LoadedWith {
  /** The function's environment variables. */
  readonly environment: Readonly<Record<string, string>>;
  /** Variables that the function fills with the database's address. A fake address replaces it, to which nothing connects. */
  readonly databaseVariables?: DatabaseVariables | undefined;
  /** Whether the function has more variables, whose values only the deploy knows. */
  readonly hasUnknownVariables?: boolean | undefined;
  /** Whether the function's variables are unknown: a missing one is only a warning. */
  readonly isAssumed?: boolean | undefined;
}

const SECONDS = 120;

/** Also imports what functions import, without bytecode: 40 s for 1,500 imports of a backend with 350 distributions. */
const SECONDS_WITH_USED = 300;

/**
 * Loads a package in a Python of its version, without a database. Replaces libraries for another machine with this machine's.
 *
 * @param installed what is installed, to find out what it uses
 */
export function prove(python: string, target: string, loadedWith: LoadedWith, installed?: Installed): Proof {
  const proof = load(python, target, loadedWith, '', installed);
  if (!proof.foreign?.length) return proof;
  const overlay = mkdtempSync(join(tmpdir(), 'cdk-alembic-'));
  try {
    const where = ['--python', python, '--target', overlay];
    uv(overlay, ['pip', 'install', '--quiet', '--no-deps', '--only-binary', ':all:', ...where, ...proof.foreign]);
    return load(python, target, loadedWith, overlay, installed);
  } catch (error) {
    if (!(error instanceof PackagingError)) throw error;
    // This machine's libraries are not available: the function may not fail.
    const { fails, ...uncertain } = proof;
    return uncertain;
  } finally {
    rmSync(overlay, { recursive: true, force: true });
  }
}

function load(
  python: string,
  target: string,
  { environment, databaseVariables = {} }: LoadedWith,
  overlay: string,
  installed: Installed | undefined,
): Proof {
  const home = mkdtempSync(join(tmpdir(), 'cdk-alembic-'));
  const seconds = installed ? SECONDS_WITH_USED : SECONDS;
  try {
    const file = installed ? join(home, 'installed.json') : '';
    if (installed) {
      const distributions = Object.fromEntries(installed.distributions.map((distribution) => [distribution.name, distribution]));
      writeFileSync(file, JSON.stringify({ paths: installed.paths, distributions }));
    }
    const script = packagePath('lib', 'packaging', 'load_project', '__main__.py');
    const run = spawnSync(
      python,
      ['-I', '-S', '-B', '-W', 'ignore', script, target, overlay, JSON.stringify(databaseVariables), file],
      {
        cwd: home,
        // Hides this machine's settings, which the function does not have.
        env: {
          ...environment,
          PATH: '/usr/bin:/bin',
          HOME: home,
          LANG: 'C.UTF-8',
          LAMBDA_TASK_ROOT: target,
          AWS_DEFAULT_REGION: 'us-east-1',
        },
        encoding: 'utf8',
        timeout: seconds * 1000,
        maxBuffer: 64 * 1024 * 1024,
      },
    );
    if (run.status === 0) return JSON.parse(run.stdout) as Proof;
    const reason = run.error
      ? `it did not load in ${seconds} s`
      : run.stderr.trim().split('\n').at(-1) || 'Python ended without an error message';
    return { unproved: reason };
  } finally {
    rmSync(home, { recursive: true, force: true });
  }
}
