import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { changesSince, defaultBranch, folderInRepository } from '../../lib/local/git';
import { dependsOnRunner } from '../../lib/local/runner';

let root: string;
let back: string;
beforeEach(() => {
  root = realpathSync(mkdtempSync(path.join(tmpdir(), 'git-')));
  back = path.join(root, 'back');
  mkdirSync(path.join(back, 'versions'), { recursive: true });
  git('init', '--quiet', '--initial-branch', 'main');
  for (const name of ['a', 'b', 'c']) write(name, name);
  commit();
});
afterEach(() => rmSync(root, { recursive: true }));

function git(...args: string[]): void {
  const person = ['-c', 'user.name=Ada', '-c', 'user.email=ada@example.com'];
  execFileSync('git', [...person, ...args], {
    cwd: root,
    stdio: 'ignore',
    env: { ...process.env, GIT_CONFIG_GLOBAL: '/dev/null' },
  });
}
const write = (name: string, text: string) => writeFileSync(path.join(back, 'versions', `${name}.py`), text);
const commit = () => {
  git('add', '-A');
  git('commit', '--quiet', '--message', 'x');
};

describe('the new revisions of a branch', () => {
  it('are those added since it left the other branch, committed or not', async () => {
    git('switch', '--quiet', '--create', 'feature');
    write('committed', '1');
    write('a', 'edited');
    rmSync(path.join(back, 'versions/b.py'));
    commit();
    git('switch', '--quiet', 'main');
    write('from-another', '1');
    commit();
    git('switch', '--quiet', 'feature');
    write('staged', '1');
    git('add', '-A');
    write('untracked', '1');
    write('c', 'edited');
    expect(await changesSince(back, 'main')).toEqual({
      since: 'main',
      base: expect.stringMatching(/^[0-9a-f]{40}$/),
      added: ['versions/untracked.py', 'versions/committed.py', 'versions/staged.py'],
      changed: ['versions/a.py', 'versions/c.py'],
      removed: ['versions/b.py'],
    });
  });

  it('are found by comparing with the default branch of the origin, else with main', async () => {
    expect(await defaultBranch(back)).toBe('main');
    git('update-ref', 'refs/remotes/origin/trunk', 'HEAD');
    git('symbolic-ref', 'refs/remotes/origin/HEAD', 'refs/remotes/origin/trunk');
    expect(await defaultBranch(back)).toBe('origin/trunk');
  });

  it('could not be determined from a ref that git does not know, even one that looks like an option', async () => {
    await expect(changesSince(back, 'origin/main')).rejects.toMatchObject({
      code: 'unknown_ref',
      next: expect.stringContaining('git fetch origin main'),
    });
    await expect(changesSince(back, '--output=x')).rejects.toMatchObject({ code: 'unknown_ref' });
  });

  it('could not be determined in a clone that is too shallow, and the message says what to write in CI', async () => {
    git('switch', '--quiet', '--create', 'feature');
    write('d', '1');
    commit();
    git('switch', '--quiet', 'main');
    write('e', '1');
    commit();
    const clone = path.join(root, 'clone');
    git('clone', '--quiet', '--depth=1', '--no-single-branch', '--branch=feature', `file://${root}`, clone);
    await expect(changesSince(path.join(clone, 'back'), 'origin/main')).rejects.toMatchObject({
      code: 'shallow_clone',
      next: expect.stringContaining('fetch-depth: 0'),
    });
  });

  it('could not be determined without a repository', async () => {
    rmSync(path.join(root, '.git'), { recursive: true });
    await expect(changesSince(back, 'main')).rejects.toMatchObject({
      code: 'git_failed',
      message: expect.stringContaining('not a git repository'),
    });
  });

  it('have paths from the root of the repository in annotations', async () => {
    expect(await folderInRepository(back)).toBe('back');
    expect(await folderInRepository(root)).toBe('.');
  });
});

describe('a repository whose deploy uses the runner', () => {
  it.each([
    ['infra/package.json', '{ "devDependencies": { "cdk-alembic": "^1.0.0" } }', true],
    ['infra/requirements-dev.txt', 'aws-cdk-lib\ncdk-alembic==1.0.0\n', true],
    ['pyproject.toml', 'dependencies = [\n  "cdk-alembic>=1",\n]\n', true],
    ['package.json', '{ "cdk-alembic": { "failOn": "warning" } }', false],
    ['requirements.txt', 'safe-alembic==1.0.0\n', false],
    ['README.md', 'cdk-alembic', false],
  ])('is recognized by its dependencies: %s with %s', async (file, text, expected) => {
    mkdirSync(path.join(root, 'infra'));
    writeFileSync(path.join(root, file), text);
    expect(await dependsOnRunner(back)).toBe(expected);
    commit();
    expect(await dependsOnRunner(back)).toBe(expected);
  });

  it('is not recognized without git', async () => {
    writeFileSync(path.join(root, 'requirements.txt'), 'cdk-alembic\n');
    rmSync(path.join(root, '.git'), { recursive: true });
    expect(await dependsOnRunner(back)).toBe(false);
  });
});
