import type { DatabaseVariables as VariableNames } from '../../contract';
import { checkArgument, checkTypes, nonEmpty, optional, type PropTypes, typeIs } from '../function/prop-types';

/** Options of {@link DatabaseVariables.url}. */
export interface DatabaseUrlOptions {
  /**
   * The URL's scheme: with SQLAlchemy it chooses the driver, such as `postgresql+asyncpg`.
   *
   * @default - the driver that the package has; of several, the one that the backend names or that env.py can connect with
   */
  readonly scheme?: string;
}

/** Names of the environment variables for the parts of the address. */
export interface DatabasePartNames {
  /**
   * For the host name.
   *
   * @default 'POSTGRES_HOST'
   */
  readonly host?: string;

  /**
   * For the port.
   *
   * @default 'POSTGRES_PORT'
   */
  readonly port?: string;

  /**
   * For the role.
   *
   * @default 'POSTGRES_USER'
   */
  readonly user?: string;

  /**
   * For the password, or the token of IAM authentication.
   *
   * @default 'POSTGRES_PASSWORD'
   */
  readonly password?: string;

  /**
   * For the database's name.
   *
   * @default 'POSTGRES_DB'
   */
  readonly databaseName?: string;
}

/** https://docs.sqlalchemy.org/en/20/core/engines.html#database-urls */
const scheme = typeIs(
  "a scheme such as 'postgresql+asyncpg', without '://'",
  (value) => typeof value === 'string' && /^[a-z][\w.+-]*$/i.test(value),
);

const URL_OPTIONS: PropTypes<DatabaseUrlOptions> = { scheme: optional(scheme) };

const PART_NAMES: PropTypes<DatabasePartNames> = {
  host: optional(nonEmpty),
  port: optional(nonEmpty),
  user: optional(nonEmpty),
  password: optional(nonEmpty),
  databaseName: optional(nonEmpty),
};

/** The environment variables in which the backend expects the database's address. The function fills them when it runs. */
export class DatabaseVariables {
  /**
   * One variable with the whole address, `postgresql://user:password@host:port/database`.
   *
   * @param name The variable. Default: `DATABASE_URL`.
   */
  static url(name = 'DATABASE_URL', options: DatabaseUrlOptions = {}): DatabaseVariables {
    checkArgument('DatabaseVariables.url', 'name', name, nonEmpty);
    checkTypes('DatabaseVariables.url', options, URL_OPTIONS);
    return new DatabaseVariables({ url: name, ...(options.scheme && { urlScheme: options.scheme }) });
  }

  /** One variable for each part of the address. */
  static parts(names: DatabasePartNames = {}): DatabaseVariables {
    checkTypes('DatabaseVariables.parts', names, PART_NAMES);
    const variables = {
      host: names.host ?? 'POSTGRES_HOST',
      port: names.port ?? 'POSTGRES_PORT',
      user: names.user ?? 'POSTGRES_USER',
      password: names.password ?? 'POSTGRES_PASSWORD',
      database: names.databaseName ?? 'POSTGRES_DB',
    };
    const twice = Object.values(variables).filter((variable, index, all) => all.indexOf(variable) < index);
    if (twice.length) {
      throw new TypeError(`DatabaseVariables.parts: ${twice[0]} is the variable of two parts: pass another name for one of them`);
    }
    return new DatabaseVariables(variables);
  }

  /** @internal */
  readonly _names: VariableNames;

  private constructor(names: VariableNames) {
    this._names = names;
  }
}
