import { type SpawnSyncReturns, spawnSync } from 'node:child_process';
import { relative, sep } from 'node:path';
import type { UpgradeStep } from '../../contract/facts';
import type { DestroyedData } from '../../data-loss/find-losses';
import { nodeProgram } from '../../node-program';
import { packagePath } from '../../package-root';
import { findPython } from '../uv';

const MAX_BUFFER = 256 * 1024 * 1024;
/** 2,000 revisions took 12 s on a slow machine. */
const MAX_MILLISECONDS = 120_000;

/** What upgrades destroy, by file, relative to the backend's folder; files that destroy nothing are omitted. */
export type DataLosses = Readonly<Record<string, readonly DestroyedData[]>>;

/** Ends before it reads anything if this Python is too old. */
const READER = `
import sys
if sys.version_info < (3, 11):
    sys.exit(2)
sys.path.insert(0, sys.argv[1])
from cdk_alembic_local.upgrade_sql.read import main
main()
`;

/**
 * Reads the revisions of a backend; undefined if this machine has no Python that can. Throws if reading or judging them fails.
 *
 * @param alembicPaths the folders of its scripts and versions
 * @param python the function's version of Python, if this machine has it
 * @param roots folders of the backend on Python's path
 */
export function findDataLosses(
  directory: string,
  alembicPaths: readonly string[],
  sources: readonly string[],
  python?: string,
  roots: readonly string[] = [],
): DataLosses | undefined {
  const folders = alembicPaths.slice(1).map((path) => relative(directory, path).split(sep).join('/'));
  const files = sources.filter((file) => file.endsWith('.py') && folders.some((folder) => file.startsWith(`${folder}/`)));
  if (!folders.length) return undefined;
  const readBy = (command: string | undefined) => command && readDataLosses(command, directory, files, roots);
  // uv is the slowest to answer.
  return readBy(python) || readBy('python3') || readBy('python') || readBy(findPython(directory, '>=3.11')) || undefined;
}

/** Reads revisions; `files` are relative to the backend's folder. Undefined if this is no Python, or too old. */
export function readDataLosses(
  python: string,
  directory: string,
  files: readonly string[],
  roots: readonly string[] = [],
): DataLosses | undefined {
  const steps = readUpgrades(python, directory, files, roots);
  return steps && judgeUpgrades(steps);
}

function readUpgrades(
  python: string,
  directory: string,
  files: readonly string[],
  roots: readonly string[],
): Readonly<Record<string, readonly UpgradeStep[]>> | undefined {
  const run = spawnSync(python, ['-I', '-S', '-B', '-c', READER, packagePath('lambda', 'migrate')], {
    input: JSON.stringify({ root: directory, files, roots }),
    encoding: 'utf8',
    maxBuffer: MAX_BUFFER,
    timeout: MAX_MILLISECONDS,
  });
  if (run.status === 0) return JSON.parse(run.stdout);
  if (run.signal || run.stderr?.startsWith('Traceback')) throw undetermined(run);
  return undefined;
}

/** Throws if the process crashes or takes too long. */
function judgeUpgrades(steps: Readonly<Record<string, readonly UpgradeStep[]>>): DataLosses {
  if (Object.values(steps).every(({ length }) => length === 0)) return {};
  const run = spawnSync(process.execPath, nodeProgram('data-loss/child'), {
    input: JSON.stringify(steps),
    encoding: 'utf8',
    maxBuffer: MAX_BUFFER,
    timeout: MAX_MILLISECONDS,
  });
  if (run.status === 0) return JSON.parse(run.stdout);
  throw undetermined(run);
}

/** Another Python would not change that. */
function undetermined({ error, stderr, signal, status }: SpawnSyncReturns<string>): Error {
  const reason = error?.message ?? (stderr.trim().split('\n').at(-1) || `it ended with ${signal ?? status}`);
  return new Error(`could not determine what the revisions destroy: ${reason}`);
}
