import { startPostgresServer } from '../postgres/server';
import { withFolder } from '../processes/with-folder';
import { type Observer, type ObserverOptions, startObserver } from './observer';

export interface WithObserverOptions extends Omit<ObserverOptions, 'scratch'> {
  /**
   * The database for the backend's Python: its `own`, one on a new `scratch` server, or the one at an address, which is used as
   * scratch.
   */
  readonly database: 'own' | 'scratch' | { readonly url: string };
}

/** The resources of {@link withObserver}. */
export interface Observation {
  readonly observer: Observer;
  /** Removed afterwards. */
  readonly folder: string;
  /** Ends both before the callback ends. Call it after the last question, so that nothing waits for them. */
  release(): void;
}

/**
 * Starts the backend's Python and the scratch server, and calls back. Afterwards stops both, even after an error, on Ctrl-C, or
 * when this process ends.
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
      return await use({ observer, folder, release: () => void end() });
    } finally {
      await end();
    }
  });
}
