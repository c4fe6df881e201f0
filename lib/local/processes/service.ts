import { closeSync, openSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from './free-port';
import { type Supervised, type SupervisedOptions, startSupervised } from './supervised';

export interface ServiceOptions extends Omit<SupervisedOptions, 'output' | 'env'> {
  readonly name: string;
  readonly command: string;
  readonly args: (port: number) => readonly string[];
  readonly env: (port: number) => NodeJS.ProcessEnv;
  readonly logFile: string;
  readonly isReady: (port: number) => Promise<boolean>;
}

export interface Service {
  readonly port: number;
  end(): Promise<void>;
}

const START_TIMEOUT_MS = 180_000;
const ATTEMPTS = 3;

/** Starts a server on a free port of 127.0.0.1 and waits until it responds. */
export async function startService(options: ServiceOptions): Promise<Service> {
  const { name, logFile, isReady } = options;
  for (let attempt = 1; ; attempt++) {
    const port = await freePort();
    const supervised = launch(options, port);
    const outcome = await firstOf(supervised, () => isReady(port));
    if (outcome === 'ready') return { port, end: () => supervised.end() };
    // Another process may take the free port first.
    if (outcome === 'ended' && attempt < ATTEMPTS) continue;
    const log = readFileSync(logFile, 'utf8').trimEnd().split('\n').slice(-40).join('\n');
    await supervised.end();
    throw new Error(`${name} does not start on 127.0.0.1:${port} (${outcome}); the end of its log:\n${log}`);
  }
}

function launch({ command, args, env, logFile, cwd, uid, gid, folder, endSignal }: ServiceOptions, port: number): Supervised {
  const output = openSync(logFile, 'w');
  try {
    return startSupervised(command, args(port), { env: env(port), cwd, uid, gid, folder, endSignal, output });
  } finally {
    closeSync(output);
  }
}

async function firstOf(
  supervised: Supervised,
  isReady: () => Promise<boolean>,
): Promise<'ready' | 'ended' | 'no answer in time'> {
  let ended = false;
  const markEnded = (): void => {
    ended = true;
  };
  supervised.exited.then(markEnded, markEnded);
  const until = Date.now() + START_TIMEOUT_MS;
  while (Date.now() < until) {
    const ready = await isReady();
    if (ended) return 'ended';
    if (ready) return 'ready';
    await sleep(10);
  }
  return 'no answer in time';
}
