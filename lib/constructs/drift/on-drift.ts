/** What a run does if the schema was changed by hand since the last run. */
export enum OnDrift {
  /** `plan` and the run warn. */
  WARN = 'warn',
  /** A run with pending revisions fails with `drifted` before anything is applied. */
  REFUSE = 'refuse',
  /** Nothing; only the command `drift` compares. */
  IGNORE = 'ignore',
}
