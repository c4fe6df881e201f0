import { execFile } from 'node:child_process';
import { existsSync, symlinkSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { MigrateError } from '../contract/failure';

/** Files that differ from the branch point, relative to the project's folder, with `/`. */
export interface Changes {
  /** The compared commit or branch, for a message. */
  readonly since: string;
  /** The id of the branch point's commit. */
  readonly base: string;
  readonly added: readonly string[];
  readonly changed: readonly string[];
  readonly removed: readonly string[];
}

/**
 * Changes in the working tree since it diverged from `ref`, committed or not.
 *
 * @param project folder of the Alembic project
 */
export async function changesSince(project: string, ref: string): Promise<Changes> {
  const [top = '', shallow] = (await git(project, 'rev-parse', '--show-toplevel', '--is-shallow-repository')).split('\n');
  const base = await mergeBase(project, ref, shallow === 'true');
  const [differing, untracked] = await Promise.all([
    // A renamed file counts as a removed revision and a new one.
    git(project, 'diff', '--name-status', '--no-renames', '-z', base),
    git(project, 'ls-files', '--others', '--exclude-standard', '--full-name', '-z', top),
  ]);
  const relative = (file: string) => path.relative(project, path.join(top, file)).split(path.sep).join('/');
  const files: Record<string, string[]> = { A: split(untracked).map(relative), M: [], D: [] };
  const fields = split(differing);
  for (let index = 0; index + 1 < fields.length; index += 2) {
    const status = fields[index] as string;
    (files[status] ?? files.M)?.push(relative(fields[index + 1] as string));
  }
  return { since: ref, base, added: files.A as string[], changed: files.M as string[], removed: files.D as string[] };
}

/** Refs of the default branch, by preference. */
const DEFAULT_BRANCHES = [
  'refs/remotes/origin/HEAD',
  'refs/remotes/origin/main',
  'refs/remotes/origin/master',
  'refs/heads/main',
  'refs/heads/master',
];

/** The repository's default branch; undefined if it could not be determined. */
export async function defaultBranch(project: string): Promise<string | undefined> {
  const format = '--format=%(refname) %(refname:short) %(symref:short)';
  const refs = await tried(project, 'for-each-ref', format, ...DEFAULT_BRANCHES);
  const branches = new Map<string, string>();
  for (const line of refs?.split('\n') ?? []) {
    const [ref = '', short = '', target] = line.split(' ');
    branches.set(ref, target || short);
  }
  return DEFAULT_BRANCHES.map((ref) => branches.get(ref)).find(Boolean);
}

async function mergeBase(project: string, ref: string, isShallow: boolean): Promise<string> {
  // Prevents git from reading the ref as an option.
  const commit = await tried(project, 'rev-parse', '--verify', '--quiet', '--end-of-options', `${ref}^{commit}`);
  if (!commit) {
    const fetch = ref.startsWith('origin/') ? `: "git fetch origin ${ref.slice('origin/'.length)}"` : '';
    throw new MigrateError(
      'unknown_ref',
      `git knows no "${ref}" in ${project}`,
      `fetch it${fetch}, or name another with --since`,
    );
  }
  const base = await tried(project, 'merge-base', commit.trim(), 'HEAD');
  if (base) return base.trim();
  if (isShallow) {
    const next = 'fetch the whole history: "git fetch --unshallow"; in GitHub Actions fetch-depth: 0, in GitLab GIT_DEPTH: 0';
    throw new MigrateError('shallow_clone', `this clone is too shallow to find where its branch and "${ref}" diverged`, next);
  }
  throw new MigrateError('unknown_ref', `"${ref}" and HEAD have no commit in common`, 'name another ref with --since');
}

/**
 * Writes a commit's files into an empty folder, and links what git ignores: settings such as `.env`, generated modules.
 *
 * @returns the repository's folder
 */
export async function checkOut(project: string, commit: string, folder: string): Promise<string> {
  const [top = ''] = (await git(project, 'rev-parse', '--show-toplevel')).split('\n');
  // Its own index: the repository's stays as it is. Large files are no source code.
  const env = { GIT_INDEX_FILE: `${folder}.index`, GIT_LFS_SKIP_SMUDGE: '1' };
  await gitWith(env, top, 'read-tree', commit);
  await gitWith(env, top, 'checkout-index', '--all', `--prefix=${folder}${path.sep}`);
  const ignored = await git(top, 'ls-files', '--others', '--ignored', '--exclude-standard', '--directory', '-z');
  for (const name of split(ignored)) {
    const [from, to] = [path.join(top, name), path.join(folder, name.replace(/\/$/, ''))];
    const isFree = existsSync(path.dirname(to)) && !existsSync(to);
    if (isFree && path.basename(to) !== '__pycache__') symlinkSync(from, to);
  }
  return top;
}

/** What git prints; undefined if it fails. */
export async function tried(folder: string, ...args: string[]): Promise<string | undefined> {
  return git(folder, ...args).catch(() => undefined);
}

const MOST_BYTES = 64 * 1024 * 1024;

function git(folder: string, ...args: string[]): Promise<string> {
  return gitWith({}, folder, ...args);
}

async function gitWith(variables: Readonly<Record<string, string>>, folder: string, ...args: string[]): Promise<string> {
  try {
    const env = { ...process.env, ...variables };
    return (await promisify(execFile)('git', args, { cwd: folder, env, encoding: 'utf8', maxBuffer: MOST_BYTES })).stdout;
  } catch (error) {
    const { code, stderr = '', message } = error as Error & { code?: unknown; stderr?: string };
    const reason = code === 'ENOENT' ? 'git is not installed' : stderr.trim().split('\n')[0] || message;
    const next = 'name the revisions to review, or pass --all: neither needs git';
    throw new MigrateError('git_failed', `git could not determine what is new in ${folder}: ${reason}`, next);
  }
}

function split(text: string): string[] {
  return text.split('\0').filter((field) => field !== '');
}

/** The project's folder relative to the repository's root, with `/`; without a repository, relative to the current folder. */
export async function folderInRepository(project: string): Promise<string> {
  const prefix = await tried(project, 'rev-parse', '--show-prefix');
  return (prefix?.trim().replace(/\/$/, '') ?? path.relative(process.cwd(), project).split(path.sep).join('/')) || '.';
}
