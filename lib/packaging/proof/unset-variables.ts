/** More would be a list that nobody reads. */
const MAX_NAMED = 6;

/** Names of variables whose values must not be in a template. */
export const PASSWORD_NAME = /(?:^|_)(?:PASSWORD|PASSWD|PGPASSWORD)$/i;

/** The value for a password that a backend requires and migrations do not use. */
export const UNUSED_PASSWORD = 'unused';

const OF_A_DATABASE = /(?:^|_)(?:DATABASE|DB|POSTGRES\w*|PG|PSQL|SQLALCHEMY|SQL)(?:_|$)/i;

const PARTS: Readonly<Record<string, RegExp>> = {
  host: /_?(?:HOST|HOSTNAME|SERVER)$/i,
  port: /_?PORT$/i,
  user: /_?(?:USER|USERNAME)$/i,
  password: /_?(?:PASSWORD|PASS|PWD)$/i,
  databaseName: /(?:DB|DATABASE|(?:DB|DATABASE|POSTGRES|POSTGRESQL|PG|PSQL|SQL)_?NAME)$/i,
};

/** The next step for unset variables that a backend read, the last one first. */
export function setUnset(unset: readonly string[]): string {
  const database = likelyDatabase(unset);
  const others = database ? unset.filter((name) => !database.includes(`'${name}'`)) : unset;
  const left = others.length - MAX_NAMED;
  const named = `${others.slice(0, MAX_NAMED).join(', ')}${left > 0 ? ` and ${left} more` : ''}`;
  const inEnvironment = `set it in environment: the backend reads ${named}, not set here`;
  if (!database) return inEnvironment;
  return `name the database's variables with ${database}${others.length ? `. If it needs another setting, ${inEnvironment}` : ''}`;
}

/** The next step for unset variables without which a backend does not start: lines that can be pasted. */
export function setRequired(required: readonly string[]): string {
  const database = likelyDatabase(required);
  const others = database ? required.filter((name) => !database.includes(`'${name}'`)) : required;
  const environment = `environment: { ${others.map((name) => `${name}: '${PASSWORD_NAME.test(name) ? UNUSED_PASSWORD : '...'}'`).join(', ')} }, with the application's values`;
  if (!database) return `Set ${environment}`;
  return `Name the database's variables with ${database}${others.length ? `, and set ${environment}` : ''}`;
}

/** How to name those that look like a database's address; undefined if none does. */
export function likelyDatabase(unset: readonly string[]): string | undefined {
  const names = unset.filter((name) => OF_A_DATABASE.test(name));
  const url = names.find((name) => /_(?:URL|URI|DSN)$/i.test(name));
  if (url) return `DatabaseVariables.url('${url}')`;
  const parts = Object.entries(PARTS).flatMap(([part, pattern]) => {
    const name = names.find((candidate) => pattern.test(candidate));
    return name ? [`${part}: '${name}'`] : [];
  });
  // One alone may be anything.
  return parts.length > 1 ? `DatabaseVariables.parts({ ${parts.join(', ')} })` : undefined;
}
