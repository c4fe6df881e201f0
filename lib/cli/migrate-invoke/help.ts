import { ALLOWANCES, DEFAULT_APP_NAME } from '../../contract';
import { APP_NAME_VARIABLE } from './connection';
import { TENANTS_HELP } from './tenants/help';

/** The text of `--help`. */
export const HELP = `Runs and inspects the Alembic migrations of a stage through its deployed function.

Usage
  migrate-invoke --stage <stage> [--command <command>] [--revision <revision>] [options]

Commands
  upgrade      show the plan, then apply pending revisions, up to --revision or head (the default)
  plan         show what an upgrade would apply; changes nothing
  check        exit code 0 if the database is at head, 3 if it is not; changes nothing
  current      show the database's revision; changes nothing
  history      show all revisions and which are applied; changes nothing
  statistics   show sizes of tables and indexes: names and numbers, no values; changes nothing
  drift        show what was changed by hand since the last run; exit code 3 if anything was
  downgrade    go back to --revision, if the stage allows it
  stamp        write --revision into the version table and run nothing, if the stage allows it

What to run
  --stage <stage>           stage to migrate; required without --function-name
  --command <command>       one of the commands above (default: upgrade)
  --revision <revision>     an id, head, base, or a step such as +1 or -1
  --to <revision>           the same, for upgrade, plan and downgrade
  --dry-run                 show the plan with its SQL; changes nothing
  --allow <what>            what an upgrade may also do:
                            ${ALLOWANCES.join(', ')}
                            (invalid indexes in the way of a revision; a schema that was changed
                            by hand, which the command drift then accepts)
  --snapshot                always make an RDS snapshot before an upgrade or downgrade
  --in container            run all pending revisions in the stage's container, marked or not
  --wait-lock <seconds>     wait this long for another run to end (default: the function's minute)
  --yes, -y                 change a protected stage without asking; required without a terminal

${TENANTS_HELP}

Output
  --json                    print one JSON document, of cdk-alembic/schema/migrate-invoke.json
  --sarif <file>            with drift: also write it to a file as SARIF
  --follow                  show the lines of the function's log as they come
  --no-progress             show no progress bar and no occasional lines
  NO_COLOR, CI              environment: no colors; no progress bar and no questions
  LANG, LC_ALL              environment: ASCII only, if the locale is not UTF-8

Connection
  --app-name <name>         first part of the function's name
                            (default: ${APP_NAME_VARIABLE}, then ${DEFAULT_APP_NAME})
  --function-name <name>    name or ARN of the function, instead of --stage and --app-name
  --region <region>         default: AWS_REGION, then the profile's
  --profile <profile>       profile of the AWS configuration files
  --endpoint-url <url>      address of AWS's API, such as a local AWS
  --help, --version

Exit codes
  0    done, or nothing to do; plan, current, history, statistics: answered; check: at head;
       drift: none
  1    a migration failed, got no lock or reached the function's deadline, or its outcome is
       unknown; tenants failed, or their run was stopped
  2    the command line or the request is wrong, or names a tenant or a run that does not exist
  3    not started, the database is unchanged: locked, blocked (would lose data), an invalid index
       in the way, replication that would stop, no snapshot, ahead of the code, declined, not
       allowed, several heads, unusable project or settings, canaries not approved; check: not at
       head; changed by hand (drift)
  4    not reachable: no credentials, no permission, no function, throttled, no network, or a
       database, secret or list of tenants that is not reachable or refuses access
  130  interrupted; the function finishes its slice, a run over tenants continues
`;
