import { UNKNOWN_VALUE } from '../../../contract/facts';
import { execute } from '../../advice/python';
import { quotedTable } from '../../advice/sql';
import type { RevisionFunction, Step } from '../../revision/analyzed-revision';
import type { Action, ActionOf } from '../../sql/action';
import type { Rule, RuleFinding } from '../rule';

type Text = Pick<RuleFinding, 'message' | 'instead'>;

/** https://www.postgresql.org/docs/current/ddl-priv.html and https://www.postgresql.org/docs/current/ddl-rowsecurity.html */
export const accessChanged: Rule = {
  id: 'access-changed',
  group: 'compatibility',
  severity: 'warning',
  title:
    'permissions change, or the rows that queries find: REVOKE, default privileges, OWNER TO, roles, row-level security, policies, INHERIT, ' +
    'SECURITY DEFINER',
  *check({ upgrade }) {
    for (const step of upgrade.steps) {
      const found = accessChange(step, upgrade);
      if (found) yield { ...step.place, ...found };
    }
  },
};

/** Privileges that running code does not use. */
const UNUSED_PRIVILEGES = ['CREATE', 'TEMPORARY', 'TEMP', 'TRIGGER', 'REFERENCES', 'TRUNCATE', 'MAINTAIN'];

function accessChange({ action, isExisting, isNewObject, isNewTable }: Step, part: RevisionFunction): Text | undefined {
  const isOld = (name: string) => !isNewTable(name) && !isNewObject(name);
  switch (action.does) {
    case 'revoke': {
      const objects = action.all ? [`all objects of the schema ${action.objects.join(', ')}`] : action.objects.filter(isOld);
      if (!objects.length || action.privileges.every((privilege) => UNUSED_PRIVILEGES.includes(privilege))) return undefined;
      const roles = action.roles.join(', ');
      return {
        message:
          `REVOKE takes ${action.privileges.join(', ')} on ${objects.join(', ')} from ${roles} as soon as it commits: statements of running code ` +
          `that need it fail with "permission denied"`,
        instead:
          '# first release code that connects as a role with its own GRANT, or no longer needs it; then REVOKE in a separate revision',
      };
    }
    case 'grant to public':
      return grantToAll(action);
    case 'change default privileges':
      return defaultsChange(action);
    case 'create function':
      return action.usesCallersPath ? callersPath(action.name) : undefined;
    case 'create role':
      return {
        message:
          `the role ${action.role} is created, which belongs to the whole server: the revision fails in the second database of a server` +
          (action.hasPassword ? '; its password is in the repository, and PostgreSQL may log it' : ''),
        instead:
          '# create roles where the server is set up, with passwords from a secret store; in a revision, only GRANT to them',
      };
    case 'change owner': {
      if (!isOld(action.name)) return undefined;
      return {
        message:
          `${action.name} now belongs to ${action.to}: the former owner keeps only what is granted to it, so running code and later ` +
          'revisions that connect as it fail with "permission denied" or "must be owner"',
        instead: `# before it, in this revision:\n${execute(`GRANT SELECT, INSERT, UPDATE, DELETE ON ${quotedTable(action.name)} TO <the role of the running code>`)}`,
      };
    }
    case 'change setting':
      return {
        message:
          `${action.of} is changed, which other databases or all sessions of running code use: new sessions get it at once, ` +
          'and no schema shows it',
        instead: '# change roles and settings where the server is set up, not in a revision of one database',
      };
    case 'drop':
      return action.what === 'policy' ? policyDropped(action.names[0] ?? '', isExisting, part) : undefined;
    default:
      return 'table' in action && isExisting(action.table) ? foundRowsChange(action, part) : undefined;
  }
}

function grantToAll({ privileges, objects, all }: ActionOf<'grant to public'>): Text | undefined {
  // A block copies the grants of another object.
  if (privileges.some((privilege) => privilege.toLowerCase() === UNKNOWN_VALUE)) return undefined;
  const on = all ? `all objects of the schema ${objects.join(', ')}` : objects.join(', ');
  return {
    message: `every role of the server that can connect gets ${privileges.join(', ')} on ${on}, also roles that are created later`,
    instead: '# name the roles that need it: GRANT ... TO app',
  };
}

/** @param name with its table */
function policyDropped(name: string, isExisting: Step['isExisting'], { steps }: RevisionFunction): Text | undefined {
  const table = name.slice(0, name.lastIndexOf('.'));
  if (!isExisting(table) || steps.some(({ action }) => action.does === 'create policy' && action.table === table))
    return undefined;
  return {
    message:
      `the policy ${name} is dropped: roles that only it admits no longer see rows of ${table}; if it was restrictive, they see rows ` +
      'that it hid',
    instead: `# first create the policy that replaces it, in this revision: CREATE POLICY ... ON ${table} USING (...)`,
  };
}

/** https://www.postgresql.org/docs/current/sql-createfunction.html#SQL-CREATEFUNCTION-SECURITY */
function callersPath(name: string): Text {
  return {
    message:
      `${name} has the rights of its owner and the search_path of its caller, and every role may call it: a table or function that a ` +
      'caller puts first in the path is used with the rights of the owner',
    instead: '# in CREATE FUNCTION: SECURITY DEFINER SET search_path = public, pg_temp',
  };
}

/** A change of the rows that queries of an existing table find. */
function foundRowsChange(action: Action, part: RevisionFunction): Text | undefined {
  if (action.does === 'alter table') return rowAccessChange(action.table, action.how, part);
  return action.does === 'create policy' || action.does === 'alter policy' ? policyChange(action) : undefined;
}

function defaultsChange({ isGrant, privileges, of, roles }: ActionOf<'change default privileges'>): Text | undefined {
  const what = `${privileges.join(', ')} on ${of}`;
  if (!isGrant) {
    return {
      message: `${roles.join(', ')} no longer gets ${what} that are created later: running code that uses a new one as that role fails with "permission denied"`,
      instead: '# GRANT on each new object in the revision that creates it, or keep the default for the roles of running code',
    };
  }
  if (!roles.includes('PUBLIC')) return undefined;
  return {
    message: `every role of the server that can connect, including future roles, gets ${what} that are created later`,
    instead: '# name the roles that need it: ALTER DEFAULT PRIVILEGES ... GRANT ... TO app',
  };
}

/** A permissive policy that is new only admits more rows. */
function policyChange(action: ActionOf<'create policy'> | ActionOf<'alter policy'>): Text | undefined {
  const { table, policy } = action;
  if (action.does === 'create policy' && !action.restrictive) return undefined;
  return {
    message:
      `the policy ${policy} ${action.does === 'alter policy' ? 'admits other rows' : 'hides all rows that it does not admit'}: if ${table} has ` +
      'row-level security, running code finds and writes other rows, without an error',
    instead: '# first release code that works with both, such as one that sets what the policy reads',
  };
}

function rowAccessChange(table: string, how: string, { steps }: RevisionFunction): Text | undefined {
  // Without a policy, row-security-without-policy reports it.
  const isAdmitted = steps.some(({ action }) => action.does === 'create policy' && action.table === table);
  const isEnabled = how === 'AT_EnableRowSecurity' && isAdmitted;
  if (isEnabled || how === 'AT_ForceRowSecurity')
    return {
      message:
        `row-level security of ${table} ${isEnabled ? 'is enabled' : 'also applies to its owner'}: running code that connects ` +
        `as ${isEnabled ? 'another role' : 'the owner'} finds only the rows that a policy admits, and may write no others`,
      instead: '# first release code that sets what the policies read; then enable it, in a separate revision',
    };
  if (how === 'AT_DisableRowSecurity')
    return {
      message: `row-level security of ${table} is disabled: every role that may read ${table} now finds all its rows, also those of others`,
      instead: `# keep it enabled, and add a policy for the role that needs more rows: CREATE POLICY ... ON ${table} TO <role> USING (true)`,
    };
  if (how === 'AT_AddInherit')
    return {
      message:
        `${table} becomes a child of another table, which is locked together with ${table} until the revision commits: afterwards, ` +
        `running code that reads, updates or deletes rows of the parent also reaches those of ${table}`,
      instead: '# first release code that names ONLY the parent, or expects these rows',
    };
  return undefined;
}
