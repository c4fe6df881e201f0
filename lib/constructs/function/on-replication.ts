import type { OnReplication as Setting } from '../../contract';

/** What happens if pending revisions change tables that are replicated to a subscriber or an RDS Blue/Green deployment. */
export class OnReplication {
  /** `plan` warns, and an upgrade runs. */
  static readonly WARN = new OnReplication('warn');

  /** An upgrade fails with `breaks_replication` before anything is applied, even if a revision could not be read. */
  static readonly REFUSE = new OnReplication('refuse');

  /** It is not checked. */
  static readonly IGNORE = new OnReplication('ignore');

  /** @internal */
  readonly _setting: Setting;

  private constructor(setting: Setting) {
    this._setting = setting;
  }
}
