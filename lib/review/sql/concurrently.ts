/** Whether a statement cannot run in a transaction. */
export function isConcurrent(sql: string): boolean {
  return /\b(?:INDEX|REINDEX\s+\w+)\s+CONCURRENTLY\b|\bDETACH\s+PARTITION\s+\S+\s+CONCURRENTLY\b/i.test(sql);
}
