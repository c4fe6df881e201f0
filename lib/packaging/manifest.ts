import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { BACKEND_DIRECTORY, DEPENDENCIES_DIRECTORY, MANIFEST_FILE } from '../contract';

/** What the runner can't find out in the time that its shortcut has: with which driver it can ask the database where it is. */
export type Manifest = { readonly driver: string } | { readonly driver: null; readonly reason: string };

/** PostgreSQL drivers that the runner knows, and what each is imported as. */
const DRIVERS = ['psycopg', 'psycopg2', 'asyncpg', 'pg8000'];

/** Whoever says more than an address when connecting (TLS, settings, a function of his own) would be connected to otherwise. */
const MORE_THAN_AN_ADDRESS = /\b(?:ssl\w*|connect_args|(?:async_)?creator|server_settings|passfile|do_connect)\b/;

const READ_BY_ENV = /\.(?:py|ini|toml|cfg|ya?ml|json)$/;

/** Writes the manifest of a package that is laid out but for it. `sources` and `revisions` are relative to the backend's folder. */
export function writeManifest(target: string, sources: readonly string[]): void {
  const file = join(target, MANIFEST_FILE);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, JSON.stringify(manifestOf(target, sources)));
}

function manifestOf(target: string, sources: readonly string[]): Manifest {
  const installed = DRIVERS.filter((driver) => existsSync(join(target, DEPENDENCIES_DIRECTORY, driver, '__init__.py')));
  let named = installed;
  const texts = sources
    .filter((file) => READ_BY_ENV.test(file))
    .map((file) => ({ file, text: readFileSync(join(target, BACKEND_DIRECTORY, file), 'utf8') }));
  const special = texts.find(({ text }) => MORE_THAN_AN_ADDRESS.test(text));
  if (special) {
    const [word] = MORE_THAN_AN_ADDRESS.exec(special.text) as RegExpExecArray;
    return { driver: null, reason: `${special.file} says ${word}: it may connect in a way of its own` };
  }
  if (installed.length > 1) {
    named = installed.filter((driver) => texts.some(({ text }) => new RegExp(`\\+${driver}\\b`).test(text)));
  }
  const [driver, ...others] = named;
  if (driver === undefined || others.length) {
    return { driver: null, reason: `it is not clear which driver env.py uses: ${installed.join(', ') || 'none is known'}` };
  }
  return { driver };
}
