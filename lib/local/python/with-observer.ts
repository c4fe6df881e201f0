import { startPostgresServer } from '../postgres/server';
import { withFolder } from '../processes/with-folder';
import { type Observer, type ObserverOptions, startObserver } from './observer';

export interface WithObserverOptions extends Omit<ObserverOptions, 'scratch'> {
  /**
   * Which database the backend's Python reaches: its `own`, that of a `scratch` server which is started for it, or the one at an
   * address, which is taken as scratch.
   */
  readonly database: 'own' | 'scratch' | { readonly url: string };
}

/** What {@link withObserver} lends. */
export interface Observation {
  readonly observer: Observer;
  /** Ends both before the callback does: nothing more will be asked. Whatever comes next does not have to wait for it. */
  release(): void;
}

/**
 * Starts the backend's Python, beside it the scratch server, and calls back. In the end both are gone, whatever happens: an error,
 * Ctrl-C, or the end of this process.
 */
export function withObserver<T>(options: WithObserverOptions, use: (observation: Observation) => Promise<T>): Promise<T> {
  const { database, ...rest } = options;
  return withFolder(async (folder) => {
    const server = database === 'scratch' ? startPostgresServer(folder, options.project) : undefined;
    const scratch = server?.then(({ url }) => url()) ?? (typeof database === 'object' ? database.url : undefined);
    const observer = startObserver({ ...rest, scratch });
    let ended: Promise<unknown> | undefined;
    const end = () => {
      ended ??= Promise.allSettled([observer.end(), server?.then(({ stop }) => stop())]);
      return ended;
    };
    try {
      return await use({ observer, release: () => void end() });
    } finally {
      await end();
    }
  });
}
