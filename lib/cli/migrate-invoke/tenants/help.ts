/** The part of `migrate-invoke --help` about many tenants. */
export const TENANTS_HELP = `Many tenants (a TenantMigration)
  --tenants <which>         all, names (a,b), or a file of names (@file): one per line, or a JSON
                            array; with --command upgrade, plan, check or drift
  --retry-failed            tenants that failed in the last upgrade, and those it did not start
  --run <id>                watch a run again
  --approve <id>            let a run that waits after its canaries migrate the rest
  --reject <id>             end that run instead
  --stop <id>               start no more batches`;
