/** What a deploy that changes the function does with the tenants. */
export class TenantDeploy {
  /**
   * It migrates them, and fails when the run fails. It waits at most 55 minutes, within CloudFormation's hour. A longer run
   * continues, but the deploy fails.
   */
  static wait(): TenantDeploy {
    return new TenantDeploy('wait');
  }

  /**
   * It starts the run and succeeds right away. The outputs `RunId` and `RunUrl` identify the run. The rest of the deploy does
   * not wait.
   */
  static handOver(): TenantDeploy {
    return new TenantDeploy('handOver');
  }

  /** It does nothing: `npx migrate-invoke --tenants all` migrates them. */
  static off(): TenantDeploy {
    return new TenantDeploy('off');
  }

  /** @internal */
  readonly _mode: 'wait' | 'handOver' | 'off';

  private constructor(mode: 'wait' | 'handOver' | 'off') {
    this._mode = mode;
  }
}
