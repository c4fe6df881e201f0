/** What a deploy that changes the function does with the tenants. */
export class TenantDeploy {
  /**
   * It migrates them, and fails when the run does: at most 55 minutes of the hour that CloudFormation gives. A run that takes longer
   * goes on, and the deploy fails.
   */
  static wait(): TenantDeploy {
    return new TenantDeploy('wait');
  }

  /** It starts the run and succeeds at once; the outputs `RunId` and `RunUrl` say where to look. What is deployed after it does not wait. */
  static handOver(): TenantDeploy {
    return new TenantDeploy('handOver');
  }

  /** Nothing: `npx migrate-invoke --tenants all` does. */
  static off(): TenantDeploy {
    return new TenantDeploy('off');
  }

  /** @internal */
  readonly _mode: 'wait' | 'handOver' | 'off';

  private constructor(mode: 'wait' | 'handOver' | 'off') {
    this._mode = mode;
  }
}
