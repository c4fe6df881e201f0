import type { Duration } from 'aws-cdk-lib';
import type { CanarySettings } from '../../contract/coordinator';
import { isTenantName } from '../../contract/tenants';
import { checkArgument, checkTypes, duration, flag, number, optional, type PropTypes, texts } from '../function/prop-types';
import { seconds, WEEK_SECONDS } from './tenant-limits';

/** What happens between the canaries and the rest. Set exactly one of `pause` and `approval`. */
export interface TenantCanaryOptions {
  /**
   * How long the others wait after the canaries are migrated: long enough for your alarms to go off and for someone to stop
   * the run. At most 7 days.
   *
   * @default - they wait for an approval
   */
  readonly pause?: Duration;

  /**
   * Whether the others wait until someone runs `npx migrate-invoke --approve <run>`.
   *
   * @default false
   */
  readonly approval?: boolean;

  /**
   * With `approval`: if nobody approves within this time, the run ends with `not_approved`. At most 7 days.
   *
   * @default Duration.days(1)
   */
  readonly within?: Duration;
}

const CANARY_OPTIONS: PropTypes<TenantCanaryOptions> = {
  pause: optional(duration),
  approval: optional(flag),
  within: optional(duration),
};

const DEFAULT_WITHIN_SECONDS = 24 * 3600;

/** The coordinator reads them from its environment, which is limited to 4 KB. */
const MAX_NAMES = 30;

/** The tenants that are migrated first. If one fails, the run stops before the others, unless failures are tolerated. */
export class TenantCanary {
  /** These tenants, at most 30. If a run covers only some tenants, its canaries are the named ones among them. */
  static names(names: string[], options: TenantCanaryOptions): TenantCanary {
    checkArgument('TenantCanary.names', 'names', names, texts);
    checkTypes('TenantCanary.names', options, CANARY_OPTIONS);
    const unusable = names.filter((name) => !isTenantName(name));
    const problems = names.length ? [] : ['the canary has no names: pass some, or leave the canary out'];
    if (names.length > MAX_NAMES)
      problems.push(`the canary has ${names.length} names: use at most ${MAX_NAMES}, or TenantCanary.share`);
    if (unusable.length) problems.push(`the canary has names that no tenant can have: ${unusable.slice(0, 5).join(', ')}`);
    return new TenantCanary({ names }, options, problems);
  }

  /**
   * This percentage of the tenants, rounded up. They are the same in every run.
   *
   * @param percent 1 to 50
   */
  static share(percent: number, options: TenantCanaryOptions): TenantCanary {
    checkArgument('TenantCanary.share', 'percent', percent, number);
    checkTypes('TenantCanary.share', options, CANARY_OPTIONS);
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
      ...(within && !approval ? ['the canary has "within" but no approval: leave "within" out'] : []),
      ...(this._waitSeconds > WEEK_SECONDS ? ['the canary waits for more than 7 days: use at most 7 days'] : []),
      ...(approval && this._waitSeconds < 60
        ? ['the canary waits less than a minute for an approval: use at least one minute']
        : []),
    ];
  }
}
