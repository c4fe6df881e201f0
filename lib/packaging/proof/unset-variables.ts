import type { DatabaseVariables } from '../../contract';
import { call, option } from '../code-in-messages';

/** Names and values. */
type Variables = Readonly<Record<string, string>>;

/** Nobody would read a longer list. */
const MAX_NAMED = 6;

/** Names of variables whose values must not be in a template. */
export const PASSWORD_NAME = /(?:^|_)(?:PASSWORD|PASSWD|PGPASSWORD)$/i;

/** The value for a password or another secret that a backend requires and migrations do not use. */
export const UNUSED_PASSWORD = 'unused';

/** Names of variables whose values are probably secrets: a message must not ask for them. */
const SECRET_NAME = /(?:^|_)(?:PASSWORD|PASSWD|PGPASSWORD|PASSPHRASE|TOKEN|CREDENTIALS|SALT|KEY)$|SECRET$|(?:SECRET|API)KEY$/i;

const OF_A_DATABASE = /(?:^|_)(?:DATABASE|DB|POSTGRES\w*|PG|PSQL|SQLALCHEMY|SQL)(?:_|$)/i;

const URL_NAME = /_(?:URL|URI|DSN|CONN|CONNECTION)(?:_?STR(?:ING)?)?$/i;

/** One of several addresses: `DATABASE_URI_ORDERS`. */
const URL_OF_SEVERAL = /_(?:URL|URI|DSN)_[A-Z0-9]+$/i;

const PARTS: Readonly<Record<string, RegExp>> = {
  host: /_?(?:HOST|HOSTNAME|SERVER|ENDPOINT)$/i,
  port: /_?PORT$/i,
  user: /_?(?:USER|USERNAME)$/i,
  password: /_?(?:PASSWORD|PASS|PWD)$/i,
  databaseName: /(?:DB|DATABASE|(?:DB|DATABASE|POSTGRES|POSTGRESQL|PG|PSQL|SQL)_?NAME)$/i,
};

/** What may be the name of a database, or its whole address. */
const NAME_OR_URL = /(?:^|_)(?:DB|DATABASE|POSTGRES|POSTGRESQL|PG)$/i;

/** Databases that no deploy migrates. */
const OF_TESTS = /(?:^|_)(?:TESTS?|TESTING)(?:_|$)/i;

/** Replicas, and roles that only read. */
const ONLY_READS = /(?:^|_)(?:RO|READ|READER|READONLY|REPLICA|SHADOW)(?:_|$)/i;

/** The kind of a database, such as SQLite. */
const ENGINE_NAME = /(?:^|_)(?:DB|DATABASE|SQL|SQLALCHEMY)_?(?:ENGINE|TYPE|KIND|DIALECT|BACKEND|DRIVER)$/i;

/** Where files are. */
const FOLDER_NAME = /(?:^|_)(?:DIR|DIRECTORY|FOLDER|PATH|HOME)$/i;

/** The next step for unset variables that a backend read, the last one first. */
export function setUnset(unset: readonly string[]): string {
  const database = likelyDatabase(unset);
  if (!database) return setInEnvironment(unset);
  const others = unset.filter((name) => !database.names.includes(name));
  const also = others.length ? `. If it needs another setting, ${setInEnvironment(others)}` : '';
  return `name the database's variables with ${database.code}${also}`;
}

/** The same, if none of them is the database's address. */
export function setInEnvironment(unset: readonly string[]): string {
  const names = unset.slice(0, MAX_NAMED).join(', ');
  const read =
    unset.length > MAX_NAMED
      ? `${unset.length} variables that are not set here, most recently ${names}`
      : `${names}, not set here`;
  return `set it with ${option('environment')}: the backend reads ${read}`;
}

/**
 * The next step for unset variables without which a backend does not start: lines that can be pasted.
 *
 * @param unset more that it reads
 * @param given those that the function sets
 * @param reason the backend's error
 * @param image those that the backend's Dockerfile sets
 */
export function setRequired(
  required: readonly string[],
  unset: readonly string[] = [],
  given: DatabaseVariables = {},
  reason = '',
  image: Variables = {},
): string {
  // The other parts may have defaults, which are for another machine.
  const starts = required.filter(isPart).map(startOf);
  const { url, urlScheme, ...parts } = given;
  const alike = [...unset, ...Object.values(parts)].filter((name) => isPart(name) && starts.includes(startOf(name)));
  const database = likelyDatabase([...required, ...alike]) ?? calledAddress(required, reason);
  const others = required.filter((name) => !database?.names.includes(name));
  if (!database) return `Set ${environmentOf(others, image)}`;
  return `Name the database's variables with ${database.code}${others.length ? `, and set ${environmentOf(others, image)}` : ''}`;
}

/** How to set variables without a secret among them. */
function environmentOf(names: readonly string[], image: Variables): string {
  const secrets = names.filter((name) => SECRET_NAME.test(name));
  const inImage = names.filter((name) => name in image && !secrets.includes(name));
  const values = names.map((name) => [name, secrets.includes(name) ? UNUSED_PASSWORD : (image[name] ?? '...')]);
  const isOther = secrets.length + inImage.length < names.length;
  const rules = [
    ...(inImage.length ? [`${isOther ? `${inImage.join(', ')} ` : ''}as in the Dockerfile`] : []),
    ...(isOther ? [`${inImage.length ? 'the others ' : ''}with the application's values`] : []),
    ...(secrets.length ? [`without secrets: set one that migrations use with ${option('secrets')}`] : []),
  ];
  return [option('environment', Object.fromEntries(values)), ...rules].join(', ');
}

/** The variable that an error calls an address, although its name could also be that of a database's name. */
function calledAddress(required: readonly string[], reason: string): ReturnType<typeof likelyDatabase> {
  const name = required.find((one) => NAME_OR_URL.test(one));
  if (!name || !/\b(?:URL|URI|DSN|connection string)\b/i.test(reason)) return undefined;
  return { names: [name], code: call('DatabaseVariables.url', [name]) };
}

/**
 * Those that look like a database's address, and how to name them; undefined if none does.
 *
 * @param database the name of the database to which the backend connects, which tells several addresses apart
 */
export function likelyDatabase(
  unset: readonly string[],
  database = '',
): { readonly names: readonly string[]; readonly code: string } | undefined {
  const all = unset.filter((name) => OF_A_DATABASE.test(name) && !OF_TESTS.test(name));
  const writable = all.filter((name) => !ONLY_READS.test(name));
  const names = writable.length ? writable : all;
  const addresses = names.filter((name) => URL_NAME.test(name));
  const urls = addresses.length ? addresses : names.filter((name) => URL_OF_SEVERAL.test(name));
  const [url] = urls.sort((a, b) => shared(b, database) - shared(a, database));
  if (url) return { names: [url], code: call('DatabaseVariables.url', [url]) };
  const parts = Object.entries(PARTS).flatMap(([part, pattern]) => {
    // Those of one database begin alike: AUDIT_DB_USER does not go with DB_HOST, DB_PORT and DB_PASSWORD.
    const [name] = names.filter((candidate) => pattern.test(candidate)).sort((a, b) => alike(b, names) - alike(a, names));
    return name ? [[part, name] as const] : [];
  });
  // A single one may be anything.
  if (parts.length < 2) return undefined;
  return { names: parts.map(([, name]) => name), code: call('DatabaseVariables.parts', [], Object.fromEntries(parts)) };
}

/** Whether a variable looks like a part of a database's address. */
function isPart(name: string): boolean {
  return OF_A_DATABASE.test(name) && Object.values(PARTS).some((pattern) => pattern.test(name));
}

/** The next step for a backend that writes beside its code, if an unset variable may say where; otherwise empty. */
export function setFolder(unset: readonly string[]): string {
  const name = unset.find((one) => FOLDER_NAME.test(one));
  return name ? `. If ${name} says where, set ${option('environment', { [name]: '/tmp' })}` : '';
}

/** The next step for a backend with another kind of database, if an unset variable may choose it; otherwise empty. */
export function setEngine(unset: readonly string[]): string {
  const name = unset.find((one) => ENGINE_NAME.test(one) && !OF_TESTS.test(one));
  return name ? `If ${name} chooses the kind of database, set ${option('environment', { [name]: '...' })}. ` : '';
}

/** How many words a variable's name has in common with a database's. */
function shared(name: string, database: string): number {
  const words = database.toLowerCase().split(/[^a-z0-9]+/);
  return name
    .toLowerCase()
    .split('_')
    .filter((word) => words.includes(word)).length;
}

/** How many of the names are parts of an address and begin as this one does. */
function alike(name: string, names: readonly string[]): number {
  const start = startOf(name);
  return names.filter((other) => startOf(other) === start).length;
}

/** What precedes the part in a variable's name: `DB` of `DB_HOST` and `DB_NAME`. */
function startOf(name: string): string | undefined {
  const pattern = [/_?(?<!HOST|USER)NAME$/i, ...Object.values(PARTS)].find((one) => one.test(name));
  return pattern && name.replace(pattern, '').replace(/_$/, '').toUpperCase();
}
