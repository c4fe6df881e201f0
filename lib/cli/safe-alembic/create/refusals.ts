import { MigrateError } from '../../../contract/failure';
import {
  type Finding,
  hasSafeForm,
  isFixedInOneTransaction,
  type Review,
  type ReviewInput,
  startingPoint,
} from '../../../review';

/** An earlier revision that fails on the scratch database may need a role, an extension or tables that it does not have. */
export function onScratch(error: unknown): unknown {
  if (!(error instanceof MigrateError) || error.code !== 'migration_failed') return error;
  return new MigrateError(error.code, error.message, startingPoint(error) ?? 'fix it and run this again', error);
}

/** Why a revision can't be written in the safe form where env.py begins the transaction; undefined: it can, or needs none. */
export function inOneTransaction({ environment }: ReviewInput, { findings }: Review): MigrateError | undefined {
  const outer = findings.find(({ rule }) => rule === 'env-outer-transaction');
  const needs = (finding: Finding) =>
    finding.severity === 'error' &&
    (finding.rule === outer?.rule ||
      (hasSafeForm(finding.rule) && finding.direction !== 'downgrade' && !isFixedInOneTransaction(finding)));
  if (!environment?.transaction || !outer || !findings.some(needs)) return undefined;
  return new MigrateError(
    'one_transaction',
    `this change is safe only in several transactions, and ${outer.file}:${outer.line} runs all revisions in one that Alembic can't commit; nothing was written`,
    `${environment.transaction.words} and run this again, or pass --as-is to write what Alembic would`,
  );
}

export function noAssignment(given: string): MigrateError {
  return new MigrateError(
    'invalid_usage',
    `${JSON.stringify(given)} does not assign an SQL expression to a column of a table`,
    'write it like "users.full_name = name"',
  );
}

export function vague(message: string): MigrateError {
  return new MigrateError(
    'vague_description',
    `the description ${JSON.stringify(message)} does not say what changes; nothing was started`,
    'say what changes and where, for example "Add index on users.email"',
  );
}
