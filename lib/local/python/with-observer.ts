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
  /** @param copy as in {@link ObserverOptions} */
  start(copy?: string): Observer;
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
      const running = new Running(folder, options);
      const opened = deferred<PostgresServer>();
      const address = onServer
        ? opened.promise.then((server) => server.url())
        : typeof database === 'object'
          ? database.url
          : undefined;
      // Before all else: the backend's Python takes the longest to start.
      const started = running.add(
        startObserver({ ...rest, scratch: address, disposable: onServer, trace: onServer && keep !== undefined }),
      );
      const cache = onServer && keep ? new ReplayCache({ ...rest, ...keep, since }) : undefined;
      const first = onServer ? running.startServer(cache?.entry?.packed) : undefined;
      if (first && !cache) opened.resolve(first);
      const openServer = (fits: boolean) => {
        const server = running.serverFor(first, fits);
        opened.resolve(server);
        return server;
      };
      try {
        return await use({
          observer: cache?.wrap(started, openServer) ?? started,
          ...(first && !cache && { another: running.another(started, rest) }),
          folder,
          restored: () => cache?.restored ?? 0,
          release: () => void running.end(),
        });
      } finally {
        await Promise.all([running.end(), cache?.finish()]);
      }
    },
    fast ? fastFolder(NEEDED_BYTES) : tmpdir(),
  );
}

/** The observers and scratch servers that were started, which end together. */
class Running {
  private readonly servers: Promise<PostgresServer>[] = [];
  private readonly observers: Observer[] = [];
  private spare: Promise<PostgresServer> | undefined;
  private ended: Promise<unknown> | undefined;

  constructor(
    private readonly folder: string,
    private readonly options: Pick<WithObserverOptions, 'project'>,
  ) {}

  add<Added extends Observer | undefined>(observer: Added): Added {
    if (observer) this.observers.push(observer);
    return observer;
  }

  /** @param packed the data directory to start from. @default - an empty one */
  startServer(packed?: Buffer): Promise<PostgresServer> {
    const server = startPostgresServer(this.folder, this.options.project, packed);
    server.catch(() => {}); // Callers that await it get the error.
    this.servers.push(server);
    return server;
  }

  /** The first server, or an empty one if the first one has restored data that does not fit. */
  async serverFor(first: Promise<PostgresServer> | undefined, fits: boolean): Promise<PostgresServer> {
    return first && (fits || !(await first).restored) ? first : this.startServer();
  }

  another(started: ReturnType<typeof startObserver>, options: Omit<ObserverOptions, 'scratch' | 'disposable'>): Another {
    return {
      fork: async () => {
        // It starts while the first observer is still busy, which forks later.
        this.spare ??= this.startServer();
        return this.add(await started.fork(this.folder, () => this.urlOfAnother()));
      },
      start: (copy) => this.add(startObserver({ ...options, copy, scratch: this.urlOfAnother(), disposable: true })),
    };
  }

  end(): Promise<unknown> {
    this.ended ??= Promise.allSettled([
      ...this.observers.map((observer) => observer.end()),
      ...this.servers.map((server) => server.then(({ stop }) => stop())),
    ]);
    return this.ended;
  }

  private async urlOfAnother(): Promise<string> {
    const server = this.spare ?? this.startServer();
    this.spare = undefined;
    return (await server).url();
  }
}

function deferred<Value>() {
  let resolve = (_value: Value | Promise<Value>): void => {};
  const promise = new Promise<Value>((done) => (resolve = done));
  return { promise, resolve };
}
