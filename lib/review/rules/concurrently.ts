/** Whether a statement builds or drops outside of transactions only. */
export function isConcurrent(sql: string): boolean {
  return /\b(?:INDEX|REINDEX\s+\w+)\s+CONCURRENTLY\b|\bDETACH\s+PARTITION\s+\S+\s+CONCURRENTLY\b/i.test(sql);
}
