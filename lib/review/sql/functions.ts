import type { Node } from 'libpg-query';
import { as, type Of, systemName } from '../../sql/nodes';
import type { Action } from './action';

/** The actions of functions that a SELECT calls. */
export function functionActions(node: Of<'SelectStmt'>): readonly Action[] {
  const found: Action[] = [];
  JSON.stringify(node, (kind, content) => {
    if (kind === 'FuncCall') found.push(...(FUNCTIONS[systemName(content.funcname)]?.(content.args ?? []) ?? []));
    return content;
  });
  return found;
}

const SLEEP = () => [{ does: 'sleep' as const }];
const LOCK_SESSION = () => [{ does: 'lock session' as const }];
const UNLOCK_SESSION = () => [{ does: 'unlock session' as const }];
const END_SESSIONS = (how: string) => () => [{ does: 'end sessions' as const, how }];
const NEED_SUPERUSER = (how: string) => () => [{ does: 'need superuser' as const, how }];

/** What functions do, by name. */
const FUNCTIONS: Readonly<Record<string, (args: readonly Node[]) => readonly Action[]>> = {
  pg_sleep: SLEEP,
  pg_sleep_for: SLEEP,
  pg_sleep_until: SLEEP,
  setval: ([sequence, number]) => {
    // pg_get_serial_sequence('users', 'id')
    const [table] = as(sequence, 'FuncCall')?.args ?? [];
    const of = literalOf(table ?? sequence);
    const to = literalOf(number);
    return [{ does: 'set sequence', ...(of === undefined ? {} : { of }), ...(to === undefined ? {} : { to: Number(to) }) }];
  },
  set_config: ([name, value, local]) => {
    const setting = literalOf(name)?.toLowerCase();
    const text = literalOf(value);
    const isLocal = as(local, 'A_Const')?.boolval?.boolval === true;
    return setting === undefined ? [] : [{ does: 'set', name: setting, isLocal, ...(text === undefined ? {} : { value: text }) }];
  },
  pg_advisory_lock: LOCK_SESSION,
  pg_advisory_lock_shared: LOCK_SESSION,
  pg_try_advisory_lock: LOCK_SESSION,
  pg_try_advisory_lock_shared: LOCK_SESSION,
  pg_advisory_unlock: UNLOCK_SESSION,
  pg_advisory_unlock_shared: UNLOCK_SESSION,
  pg_advisory_unlock_all: UNLOCK_SESSION,
  pg_terminate_backend: END_SESSIONS('pg_terminate_backend()'),
  pg_cancel_backend: END_SESSIONS('pg_cancel_backend()'),
  pg_read_file: NEED_SUPERUSER('pg_read_file()'),
  pg_read_binary_file: NEED_SUPERUSER('pg_read_binary_file()'),
  pg_ls_dir: NEED_SUPERUSER('pg_ls_dir()'),
  lo_import: NEED_SUPERUSER('lo_import()'),
  lo_export: NEED_SUPERUSER('lo_export()'),
};

/** A text or an integer. */
export function literalOf(node: Node | undefined): string | undefined {
  const { sval, ival } = as(as(node, 'TypeCast')?.arg ?? node, 'A_Const') ?? {};
  return sval ? (sval.sval ?? '') : ival ? String(ival.ival ?? 0) : undefined;
}
