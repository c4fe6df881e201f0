import { spawnSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { DEPENDENCIES_DIRECTORY, DRIVERS, RUNNER_DIRECTORY } from '../../contract';
import { packagePath } from '../../package-root';
import { bytecodeKey, type Compiled, isReleased, keepBytecode, takeBytecode } from './bytecode-cache';

/** Where Lambda unpacks the zip: tracebacks show this path instead of a folder on this machine. */
const TASK_ROOT = '/var/task';

/**
 * The runner, and the dependencies that ship like it only as bytecode, without docstrings: a run never reads their sources, which
 * are a fifth of the zip. Their tracebacks still have file and line.
 */
const BARE = new RegExp(
  `^(?:${RUNNER_DIRECTORY}|${DEPENDENCIES_DIRECTORY}/(?:alembic|greenlet|mako|sqlalchemy|${DRIVERS.join('|')}))/`,
);

/** Whether a file belongs to a package that ships only as bytecode. */
export function isBare(file: string): boolean {
  return BARE.test(file);
}

/** The Python that compiles. */
export interface Compiler {
  readonly python: string;
  /** Major and minor version, such as `3.13`. */
  readonly pythonVersion: string;
}

/**
 * Compiles Python files of a package, or uses their cached bytecode. All files in the zip are dated 1980, so bytecode that is
 * validated by date would be stale; `unchecked-hash` bytecode is not validated (imports take 0.60 s instead of 1.78 s).
 *
 * @param files relative to the package
 */
export function compileBytecode({ python, pythonVersion }: Compiler, target: string, files: readonly string[]): void {
  const missing: { readonly key: string; readonly group: readonly Compiled[] }[] = [];
  for (const sources of grouped(files)) {
    const group = sources.map((source) => compiled(source, pythonVersion));
    const key = bytecodeKey(target, group, pythonVersion);
    if (!takeBytecode(target, group, pythonVersion, key)) missing.push({ key, group });
  }
  if (missing.length) {
    compile(
      python,
      target,
      missing.flatMap(({ group }) => group),
    );
    for (const { key, group } of missing) keepBytecode(target, group, pythonVersion, key);
  }
  for (const { source, bytecode, isBare } of files.map((file) => compiled(file, pythonVersion))) {
    // The function's Python can't import the bytecode of a prerelease.
    if (isBare) rmSync(join(target, isReleased(join(target, bytecode), pythonVersion) ? source : bytecode), { force: true });
  }
}

/** Groups files by package: files that change together are cached together. */
function grouped(files: readonly string[]): string[][] {
  const groups = new Map<string, string[]>();
  for (const file of files) {
    const [, folder = ''] = /^((?:site-packages\/)?[^/]+)\//.exec(file) ?? [];
    const group = groups.get(folder);
    if (group) group.push(file);
    else groups.set(folder, [file]);
  }
  return [...groups.values()];
}

function compiled(source: string, pythonVersion: string): Compiled {
  if (isBare(source)) return { source, bytecode: `${source}c`, isBare: true };
  const [, folder = '', name = ''] = /^(.*\/)?(.*)\.py$/.exec(source) ?? [];
  return { source, bytecode: `${folder}__pycache__/${name}.cpython-${pythonVersion.replace('.', '')}.pyc`, isBare: false };
}

function compile(python: string, target: string, group: readonly Compiled[]): void {
  const lines = group.map(({ source, bytecode, isBare }) => [source, bytecode, ...(isBare ? ['bare'] : [])].join('\t'));
  // Without the column numbers for tracebacks, bytecode is a fifth smaller.
  const options = ['-I', '-S', '-W', 'ignore', '-X', 'no_debug_ranges'];
  const script = packagePath('lib', 'packaging', 'compile.py');
  spawnSync(python, [...options, script, target, TASK_ROOT], { input: lines.join('\n'), stdio: ['pipe', 'ignore', 'ignore'] });
}
