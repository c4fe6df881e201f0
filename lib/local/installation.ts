/** What was installed with the command, and how to call it. */
export interface Installation {
  /** What a person types, for messages that name a next step. */
  readonly command: string;
  /** Folder of PostgreSQL. @default - the one of the npm package, or of this machine */
  readonly postgres?: string;
  /** The Python that Alembic was installed into, too. @default - the project's */
  readonly python?: string;
  /** Path of squawk. @default - the one of the npm package */
  readonly squawk?: string;
}

/** Reads the variables that the Python package sets (`bin/safe_alembic`). Those that a person sets take precedence there. */
export function installation(): Installation {
  const {
    SAFE_ALEMBIC_COMMAND: command,
    SAFE_ALEMBIC_POSTGRES: postgres,
    SAFE_ALEMBIC_PYTHON: python,
    SAFE_ALEMBIC_SQUAWK: squawk,
  } = process.env;
  return { command: command || 'npx safe-alembic', postgres, python, squawk };
}
