import { parseSql } from './parse';

/** Whether a statement is CONCURRENTLY, so that it cannot run in a transaction. */
export function isConcurrent(sql: string): boolean {
  return /\b(?:INDEX|REINDEX\s+\w+)\s+CONCURRENTLY\b|\bDETACH\s+PARTITION\s+\S+\s+CONCURRENTLY\b/i.test(sql);
}

/** A statement's name, if PostgreSQL refuses it in a transaction. */
export function refusedStatement(sql: string): string | undefined {
  if (!isConcurrent(sql)) {
    const actions = parseSql(sql).flatMap((statement) => statement.actions);
    return actions.flatMap((action) => (action.does === 'need autocommit' ? [action.how] : []))[0];
  }
  return (
    /\b(?:CREATE(?:\s+UNIQUE)?|DROP)\s+INDEX\s+CONCURRENTLY|REINDEX\s+\w+\s+CONCURRENTLY/i.exec(sql)?.[0].replace(/\s+/g, ' ') ??
    'CONCURRENTLY'
  );
}
