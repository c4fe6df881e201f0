import type { Duration } from 'aws-cdk-lib';
import type { CanarySettings } from '../../contract/coordinator';
import { isTenantName } from '../../contract/tenants';
import { seconds, WEEK_SECONDS } from './tenant-limits';

/** What happens between the canaries and the rest. Exactly one of `pause` and `approval` is given. */
export interface TenantCanaryOptions {
  /**
   * How long the others wait when the canaries are migrated: long enough for an alarm of yours to go off and somebody to stop the
   * run. 7 days at most.
   *
   * @default - they wait for an approval
   */
  readonly pause?: Duration;

  /**
   * Whether the others wait for a person, who says `npx migrate-invoke --approve <run>`.
   *
   * @default false
   */
  readonly approval?: boolean;

  /**
   * With `approval`: when nobody has approved by then, the run ends with `not_approved`. 7 days at most.
   *
   * @default Duration.days(1)
   */
  readonly within?: Duration;
}

const DEFAULT_WITHIN_SECONDS = 24 * 3600;

/** They are handed to the coordinator in its environment, which holds 4 KB. */
const MAX_NAMES = 30;

/** The tenants that are migrated first. One of them failing stops the run before the others are begun, unless that is tolerated. */
export class TenantCanary {
  /** These tenants, 30 at most. A run over some tenants has those of them as canaries that are among them. */
  static names(names: string[], options: TenantCanaryOptions): TenantCanary {
    const unusable = names.filter((name) => !isTenantName(name));
    const problems = names.length ? [] : ['the canary has no names: give some, or leave the canary out'];
    if (names.length > MAX_NAMES) problems.push(`the canary has ${names.length} names: use ${MAX_NAMES} at most, or a share`);
    if (unusable.length) problems.push(`the canary names what can be no tenant: ${unusable.slice(0, 5).join(', ')}`);
    return new TenantCanary({ names }, options, problems);
  }

  /**
   * So many of a hundred, rounded up, and the same ones in every run.
   *
   * @param percent 1 to 50
   */
  static share(percent: number, options: TenantCanaryOptions): TenantCanary {
    const usable = percent >= 1 && percent <= 50;
    return new TenantCanary({ percent }, options, usable ? [] : [`the canary is ${percent} % of the tenants: use 1 to 50`]);
  }

  /** @internal */
  readonly _settings: CanarySettings;

  /** @internal How long the run waits, in seconds. */
  readonly _waitSeconds: number;

  /** @internal */
  readonly _problems: readonly string[];

  private constructor(
    who: { readonly names: readonly string[] } | { readonly percent: number },
    { pause, approval = false, within }: TenantCanaryOptions,
    problems: readonly string[],
  ) {
    this._settings = { ...who, after: approval ? 'approval' : 'pause' };
    this._waitSeconds = approval ? (seconds(within) ?? DEFAULT_WITHIN_SECONDS) : (seconds(pause) ?? 0);
    this._problems = [
      ...problems,
      ...(approval === (pause !== undefined) ? ['the canary needs exactly one of pause and approval'] : []),
      ...(within && !approval ? ['the canary has "within" and no approval: leave it out'] : []),
      ...(this._waitSeconds > WEEK_SECONDS ? ['the canary waits for more than 7 days: nobody would know what it waits for'] : []),
      ...(approval && this._waitSeconds < 60 ? ['the canary waits less than a minute for an approval: nobody is that fast'] : []),
    ];
  }
}
