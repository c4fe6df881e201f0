import type { FunctionPlatform } from '../platform';
import type { Loaded } from '../proof/judge-proof';

/** A package with its sources, dependencies and the runner. */
export interface LaidOut extends Loaded {
  /** The package's hash. */
  readonly hash: string;
  readonly platform: FunctionPlatform;
  readonly python: string | undefined;
  /** Names of distributions that `only: imported` keeps in any case, with all their requirements. */
  readonly kept: readonly string[];
  /** Replaced requirements, such as `psycopg2-binary==2.9.10 in place of psycopg2`. */
  readonly replaced?: readonly string[];
  /** Warnings about the options of the package, for its manifest. */
  readonly warnings?: readonly string[];
}
