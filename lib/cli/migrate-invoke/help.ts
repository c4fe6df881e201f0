import { ALLOWANCES, DEFAULT_APP_NAME } from '../../contract';
import { CLI_COMMANDS } from './arguments';

/** The text of `--help`. */
export const HELP = `Runs and inspects the Alembic migrations of a stage through its deployed function.

Usage
  migrate-invoke --stage <stage> [--command <command>] [--revision <revision>] [options]

Commands
  upgrade      show the plan, then apply what is pending, up to --revision or head (the default)
  plan         what an upgrade would apply; changes nothing
  check        whether the database is at head: exit code 0, or 3 when it is not; changes nothing
  current      where the database is; changes nothing
  history      all revisions and which are applied; changes nothing
  downgrade    go back to --revision, where the stage allows it
  stamp        write --revision into the version table and run nothing, where the stage allows it

What to run
  --stage <stage>           stage whose database is meant; needed unless --function-name is given
  --command <command>       ${CLI_COMMANDS.join(', ')}
                            (default: upgrade)
  --revision <revision>     an id, head, base, or a step such as +1 or -1
  --to <revision>           the same, for upgrade, plan and downgrade
  --dry-run                 the plan with its SQL, where it can be rendered; changes nothing
  --allow <what>            what an upgrade may do besides:
                            ${ALLOWANCES.join(', ')} (those in the way of a revision)
  --in container            all that is pending runs in the stage's container, not only what says so
  --wait-lock <seconds>     ask again for so long while another run is going on (default: 0)
  --yes, -y                 change a protected stage unasked; needed where nobody can be asked

Many tenants (a TenantMigration)
  --tenants <which>         all, names (a,b) or a file of names (@file), one a line or a JSON array;
                            with --command upgrade, plan or check
  --retry-failed            those that failed in the last upgrade, and those that it did not begin
  --run <id>                watch a run again
  --approve <id>            let a run that waits after its canaries go on to the rest
  --reject <id>             end it instead
  --stop <id>               begin no further batch

What is shown
  --json                    one JSON document on stdout, of cdk-alembic/schema/migrate-invoke.json
  --follow                  the lines of the function's log as they come
  --no-progress             no bar and no signs of life
  NO_COLOR, CI              environment: no colours; nobody watches and nobody can be asked

Where
  --app-name <name>         first part of the function's name (default: ${DEFAULT_APP_NAME})
  --function-name <name>    name or ARN of the function, in place of --stage and --app-name
  --region <region>         default: AWS_REGION, then the profile's
  --profile <profile>       profile of the AWS configuration files
  --endpoint-url <url>      address of AWS's API, of a local AWS for example
  --help, --version

Exit codes
  0    done, or nothing to do; a question (plan, current, history) was answered; check: at head
  1    a migration failed, got no lock or met the function's deadline, or what it did is not known;
       tenants failed, or their run was stopped
  2    the command line or the request is wrong, or names a tenant or a run that is not there
  3    not started, the database is as it was: locked, blocked (would lose data), an invalid index
       in the way, ahead of the code, declined, not allowed, several heads, unusable project or
       settings, canaries not approved; check: not at head
  4    not reachable: no credentials, no permission, no function, throttled, no network, or a
       database, secret or list of tenants that can't be reached or refuses
  130  interrupted; what the function has started goes on to the end of its slice, a run over
       tenants to its end
`;
