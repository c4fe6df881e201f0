import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { eventually, runs } from '../processes';

describe('a process of the demo or the tests', () => {
  it.each([
    ['Ctrl-C', 'SIGINT', 130],
    ['a request to end', 'SIGTERM', 143],
    ['a kill that nobody can handle', 'SIGKILL', null],
  ] as const)('ends with everything it started, and its folder is removed, after %s', async (_, signal, exitCode) => {
    const { owner, folder, processes, said } = await startOwner();
    expect([existsSync(folder), ...processes.map(runs)]).toEqual([true, true, true]);

    owner.kill(signal);
    const [code] = await once(owner, 'exit');

    expect(code).toBe(exitCode);
    await eventually(() => !processes.some(runs) && !existsSync(folder));
    // Whoever waits for the command is not told that it has failed.
    expect(said).not.toContain('ended');
  });

  it('ends even if its supervisor was killed and replaced', async () => {
    const { owner, folder, processes } = await startOwner();
    const [first = 0] = supervisorsOf(owner);
    process.kill(first, 'SIGKILL');
    await eventually(() => supervisorsOf(owner).some((pid) => pid !== first));

    owner.kill('SIGKILL');

    await eventually(() => !processes.some(runs) && !existsSync(folder));
  });
});

/** The processes that watch over what a process has started. */
function supervisorsOf({ pid: owner }: ChildProcess): number[] {
  const all = execFileSync('ps', ['-axo', 'pid=,ppid=,args='], { encoding: 'utf8' }).split('\n');
  const found = all
    .map((line) => line.trim().split(/\s+/))
    .filter(([, parent, ...args]) => {
      return Number(parent) === owner && args.join(' ').includes('processes/supervisor');
    });
  return found.map(([pid]) => Number(pid));
}

async function startOwner() {
  const owner: ChildProcess = spawn(process.execPath, ['-r', 'tsx/cjs', path.join(__dirname, 'owner.ts')], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const said: string[] = [];
  createInterface({ input: owner.stdout as NodeJS.ReadableStream }).on('line', (line) => said.push(line));
  await eventually(() => said.length === 2);
  const [folder = '', ids = ''] = said;
  return { owner, folder, processes: ids.split(' ').map(Number), said };
}
