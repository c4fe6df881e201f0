import path from 'node:path';
import type { AppliedRevision } from '../../contract';
import { findProject } from '../../local/project';
import { pythonCommand } from '../../local/python/command';
import { findPython } from '../../local/python/find';
import { type Observation, type WithObserverOptions, withObserver } from '../../local/python/with-observer';
import { defaultSettings, readSettings, type Settings } from '../../local/settings';
import type { Screen } from '../screen/screen';
import type { CommonArguments } from './common';

/** One run of `safe-alembic`. */
export interface Session {
  readonly common: CommonArguments;
  readonly settings: Settings;
  /** The folder in which the team calls `alembic`. */
  readonly project: string;
  /** The project's alembic.ini, relative to that folder, if it is not in it. */
  readonly config: string | undefined;
  /** The command that starts the backend's Python. */
  readonly python: readonly string[];
  readonly screen: Screen;
  /** The package's version. */
  readonly version: string;
  /** Revisions applied so far to the project's own database. */
  readonly applied: AppliedRevision[];
  /** Absolute paths of files that were written and are not reviewed yet: a run that ends before removes them. */
  readonly unreviewed: string[];
  /** Whether the project's own database is being changed. */
  changing: boolean;
}

/** A run whose project is not known yet. */
export interface Started extends Pick<Session, 'common' | 'screen'> {
  /** Finds project and settings; throws a `MigrateError`. */
  open(): Session;
}

/** Finds project and settings; throws a `MigrateError`. */
export function openSession(
  common: CommonArguments,
  screen: Screen,
  version: string,
  knownRule: (rule: string) => boolean,
): Session {
  const here = process.cwd();
  const found = readSettings(here, knownRule);
  const { folder: project, config } = findProject(
    here,
    common.project === undefined ? found?.project : path.resolve(here, common.project),
  );
  // From a sibling folder, the project's settings are not above.
  const settings = found ?? readSettings(project, knownRule) ?? defaultSettings(project);
  const { python: set, folder, environment } = settings;
  const python = common.python
    ? pythonCommand(common.python, here)
    : set
      ? pythonCommand(set, folder)
      : findPython(path.dirname(path.join(project, config ?? 'alembic.ini')), environment);
  return { common, settings, project, config, python, screen, version, applied: [], unreviewed: [], changing: false };
}

/** Runs the backend's Python on the project's own database. */
export function withOwnDatabase<T>(session: Session, use: (observation: Observation) => Promise<T>): Promise<T> {
  return withBackend(session, 'own', use);
}

/**
 * Runs the backend's Python on a scratch database.
 *
 * @param url an empty database; without one, and without the setting, a server is started
 * @param options as for `withObserver`
 */
export function withScratchDatabase<T>(
  session: Session,
  url: string | undefined,
  use: (observation: Observation) => Promise<T>,
  options?: Pick<WithObserverOptions, 'keep' | 'large'>,
): Promise<T> {
  const given = url ?? session.settings.databaseUrl;
  return withBackend(session, given === undefined ? 'scratch' : { url: given }, use, options);
}

function withBackend<T>(
  { settings: { environment }, common: { x }, project, config, python, screen: { status } }: Session,
  database: 'own' | 'scratch' | { readonly url: string },
  use: (observation: Observation) => Promise<T>,
  options: Pick<WithObserverOptions, 'keep' | 'large'> = {},
): Promise<T> {
  status?.draw(`  starting ${database === 'scratch' ? 'PostgreSQL and ' : ''}the backend's Python`);
  return withObserver({ project, config, python, environment, x, database, ...options }, use).finally(() => status?.clear());
}
