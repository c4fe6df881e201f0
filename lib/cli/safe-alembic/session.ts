import path from 'node:path';
import type { AppliedRevision } from '../../contract';
import { findProject } from '../../local/project';
import { pythonCommand, uvPython } from '../../local/python';
import { readSettings, type Settings } from '../../local/settings';
import { type Observation, withObserver } from '../../local/with-observer';
import type { Screen } from '../screen/screen';
import type { MigrateArguments } from './arguments';

/** One run of `safe-alembic`. */
export interface MigrateSession {
  readonly arguments: MigrateArguments;
  readonly settings: Settings;
  /** Folder of the Alembic project. */
  readonly project: string;
  /** What starts the backend's Python. */
  readonly python: readonly string[];
  readonly screen: Screen;
  /** Of the package. */
  readonly version: string;
  /** What has been applied so far to the project's own database. */
  readonly applied: AppliedRevision[];
}

/** Finds project and settings; throws a `LocalError`. */
export function openSession(
  given: MigrateArguments,
  screen: Screen,
  version: string,
  knownRule: (rule: string) => boolean,
): MigrateSession {
  const here = process.cwd();
  const settings = readSettings(here, knownRule);
  const project = findProject(here, given.project === undefined ? settings.project : path.resolve(here, given.project));
  const { python: set, folder } = settings;
  const python = given.python ? pythonCommand(given.python, here) : set ? pythonCommand(set, folder) : uvPython(project);
  return { arguments: given, settings, project, python, screen, version, applied: [] };
}

/** Works with the backend's Python, on its own database or on a scratch one. */
export function withBackend<T>(
  { arguments: given, settings, project, python, screen }: MigrateSession,
  database: 'own' | 'scratch',
  use: (observation: Observation) => Promise<T>,
): Promise<T> {
  const { environment } = settings;
  const url = given.databaseUrl ?? settings.databaseUrl;
  const chosen = database === 'scratch' && url !== undefined ? { url } : database;
  screen.status?.draw(`  starting ${database === 'scratch' && !url ? 'PostgreSQL and ' : ''}the backend's Python …`);
  return withObserver({ project, python, environment, database: chosen }, use).finally(() => screen.status?.clear());
}
