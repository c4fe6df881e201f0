import { tmpdir } from 'node:os';
import { type PostgresServer, startPostgresServer } from '../postgres/server';
import { fastFolder } from '../processes/fast-folder';
import { withFolder } from '../processes/with-folder';
import { ReplayCache, type ReplayCacheOptions } from '../replay-cache/replay-cache';
import { type Observer, type ObserverOptions, startObserver } from './observer';

export interface WithObserverOptions extends Omit<ObserverOptions, 'scratch' | 'disposable'> {
  /**
   * The database for the backend's Python: its `own`, one on a new `scratch` server, or the one at an address, which is used as
   * scratch.
   */
  readonly database: 'own' | 'scratch' | { readonly url: string };
  /** Whether to start from a kept scratch server, or to keep it, and files that the caller writes. @default - from an empty one */
  readonly keep?: Pick<ReplayCacheOptions, 'written'>;
  /** Whether the scratch server's data may fill more than the memory. @default false */
  readonly large?: boolean;
}

/** The most that a scratch server needs; a replay takes about 100 MB. */
const NEEDED_BYTES = 2 * 2 ** 30;

/** Starts observers beside the first one, which end with it. */
export interface Another {
  /** A fork of the first one; undefined if that is not safe. */
  fork(): Promise<Observer | undefined>;
  start(): Observer;
}

/** The resources of {@link withObserver}. */
export interface Observation {
  readonly observer: Observer;
  /** Creates another observer with its own scratch server. Only if the first one started empty. */
  readonly another?: Another;
  /** Removed afterwards. */
  readonly folder: string;
  /** How many revisions were restored instead of run. */
  restored(): number;
  /** Ends both before the callback ends. Call it after the last question, so that nothing waits for them. */
  release(): void;
}

/**
 * Starts the backend's Python and the scratch server, and calls back. Afterwards stops both, even after an error, on Ctrl-C, or
 * when this process ends.
 */
export function withObserver<T>(options: WithObserverOptions, use: (observation: Observation) => Promise<T>): Promise<T> {
  const { database, keep, large, ...rest } = options;
  // A person who sets TMPDIR has chosen the folder.
  const fast = database === 'scratch' && !large && !process.env.TMPDIR;
  return withFolder(
    async (folder) => {
      const since = Date.now();
      const onServer = database === 'scratch';
      let open = (_server: Promise<PostgresServer>): void => {};
      const opened = new Promise<PostgresServer>((resolve) => (open = resolve));
      const address = onServer ? opened.then((server) => server.url()) : typeof database === 'object' ? database.url : undefined;
      // Before all else: the backend's Python takes the longest to start.
      const started = startObserver({ ...rest, scratch: address, disposable: onServer, trace: onServer && keep !== undefined });
      const cache = onServer && keep ? new ReplayCache({ ...rest, ...keep, since }) : undefined;
      const servers: Promise<PostgresServer>[] = [];
      const start = (packed?: Buffer) => {
        const server = startPostgresServer(folder, options.project, packed);
        server.catch(() => {}); // Callers that await it get the error.
        servers.push(server);
        return server;
      };
      const first = onServer ? start(cache?.entry?.packed) : undefined;
      if (first && !cache) open(first);
      const observer =
        cache?.wrap(started, async (fits) => {
          const server = first && (fits || !(await first).restored) ? first : start();
          open(server);
          return server;
        }) ?? started;
      const observers: Observer[] = [started];
      const added = <Added extends Observer | undefined>(observer: Added): Added => {
        if (observer) observers.push(observer);
        return observer;
      };
      let spare: Promise<PostgresServer> | undefined;
      const urlOfAnother = async () => {
        const server = spare ?? start();
        spare = undefined;
        return (await server).url();
      };
      const another: Another = {
        async fork() {
          // It starts while the first one is still busy, which forks later.
          spare ??= start();
          return added(await started.fork(folder, urlOfAnother));
        },
        start: () => added(startObserver({ ...rest, scratch: urlOfAnother(), disposable: true })),
      };
      let ended: Promise<unknown> | undefined;
      const end = () => {
        ended ??= Promise.allSettled([
          ...observers.map((observer) => observer.end()),
          ...servers.map((server) => server.then(({ stop }) => stop())),
        ]);
        return ended;
      };
      try {
        return await use({
          observer,
          ...(first && !cache && { another }),
          folder,
          restored: () => cache?.restored ?? 0,
          release: () => void end(),
        });
      } finally {
        await Promise.all([end(), cache?.finish()]);
      }
    },
    fast ? fastFolder(NEEDED_BYTES) : tmpdir(),
  );
}
