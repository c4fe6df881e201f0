import type { AlterTableCmd, Node, PartitionCmd } from 'libpg-query';
import { as } from '../../sql/nodes';
import type { Action, ColumnDefinition, ConstraintDefinition } from './action';
import { columnOf, constraintOf, isMoment, sequenceActions, typeOf } from './definitions';
import { literalOf } from './functions';
import { joined, nameOf } from './names';

/** The actions of one part of an ALTER TABLE. @param sql the whole statement */
export function alterActions(table: string, command: AlterTableCmd, sql: string): readonly Action[] {
  const { subtype = 'AT_AddColumn', name = '', def, behavior } = command;
  const cascade = behavior === 'DROP_CASCADE' ? { cascade: true } : {};
  switch (subtype) {
    case 'AT_AddColumn':
      return def && 'ColumnDef' in def ? addColumnActions(table, columnOf(def.ColumnDef, sql)) : [];
    case 'AT_AddConstraint':
      return def && 'Constraint' in def
        ? constraintOf(def.Constraint, sql).map((constraint) => addConstraintAction(table, constraint))
        : [];
    case 'AT_DropColumn':
      return [{ does: 'drop column', table, column: name, ...cascade }];
    case 'AT_DropConstraint':
      return [{ does: 'drop constraint', table, constraint: name, ...cascade }];
    case 'AT_ValidateConstraint':
      return [{ does: 'validate', table, constraint: name }];
    case 'AT_SetNotNull':
      return [{ does: 'set not null', table, column: name }];
    case 'AT_DropNotNull':
      return [{ does: 'drop not null', table, column: name }];
    case 'AT_ColumnDefault':
      return [
        {
          does: 'set default',
          table,
          column: name,
          has: !!def,
          ...sequenceOf(def),
          ...(isMoment(literalOf(def)) ? { isMoment: true } : {}),
        },
      ];
    case 'AT_AddIdentity':
      return [{ does: 'set default', table, column: name, has: true, sequence: null }, ...refusalActions(table, command)];
    case 'AT_SetIdentity':
      return [...sequenceActions(`${table}_${name}_seq`, as(def, 'List')?.items, table), ...refusalActions(table, command)];
    case 'AT_DropIdentity':
    case 'AT_DropExpression':
      return [{ does: 'set default', table, column: name, has: false }];
    case 'AT_AlterColumnType': {
      const type = def && 'ColumnDef' in def ? typeOf(def.ColumnDef.typeName) : '';
      return [{ does: 'change type', table, column: name, type, written: { node: command, sql } }];
    }
    case 'AT_AttachPartition': {
      const { name: partition, bound } = partitionOf(def);
      return partition ? [{ does: 'attach partition', table, partition: nameOf(partition), isDefault: !!bound?.is_default }] : [];
    }
    case 'AT_DetachPartition': {
      const { name: partition, concurrent } = partitionOf(def);
      return partition ? [{ does: 'detach partition', table, partition: nameOf(partition), concurrently: !!concurrent }] : [];
    }
    case 'AT_ReplicaIdentity': {
      const nothing = !!def && 'ReplicaIdentityStmt' in def && def.ReplicaIdentityStmt.identity_type === 'n';
      return [{ does: 'set replica identity', table, nothing }];
    }
    case 'AT_DisableTrig':
      return [{ does: 'disable trigger', table, which: 'one', trigger: name }];
    case 'AT_DisableTrigAll':
      return [{ does: 'disable trigger', table, which: 'all' }];
    case 'AT_DisableTrigUser':
      return [{ does: 'disable trigger', table, which: 'user' }];
    case 'AT_EnableTrig':
    case 'AT_EnableTrigAll':
    case 'AT_EnableTrigUser':
      return [{ does: 'enable trigger', table }];
    case 'AT_ChangeOwner':
      return [{ does: 'change owner', name: table, to: command.newowner?.rolename ?? 'CURRENT_USER' }];
    default:
      return [otherAction(table, command)];
  }
}

function otherAction(table: string, { subtype = 'AT_SetRelOptions', def }: AlterTableCmd): Action {
  const how = REWRITES[subtype];
  if (how) return { does: 'rewrite table', table, how };
  const isOn = /RelOptions$/.test(subtype)
    ? autovacuumAfter(as(def, 'List')?.items, subtype === 'AT_ResetRelOptions')
    : undefined;
  return isOn === undefined ? { does: 'alter table', table, how: subtype } : { does: 'set autovacuum', table, isOn };
}

function addColumnActions(table: string, column: ColumnDefinition): readonly Action[] {
  return [
    { does: 'add column', table, column },
    ...column.constraints.map((constraint) => addConstraintAction(table, constraint)),
  ];
}

function addConstraintAction(table: string, constraint: ConstraintDefinition): Action {
  return { does: 'add constraint', table, constraint };
}

function partitionOf(def: Node | undefined): PartitionCmd {
  return def && 'PartitionCmd' in def ? def.PartitionCmd : {};
}

/** GENERATED ALWAYS, as ADD or SET. For SET, PostgreSQL's grammar has the code of the letter. */
function refusalActions(table: string, { name = '', def }: AlterTableCmd): readonly Action[] {
  const options = (as(def, 'List')?.items ?? []).flatMap((one) => as(one, 'DefElem') ?? []);
  const set = as(options.find(({ defname }) => defname === 'generated')?.arg, 'Integer')?.ival ?? 0;
  const isAlways = (as(def, 'Constraint')?.generated_when ?? String.fromCharCode(set)) === 'a';
  return isAlways ? [{ does: 'refuse values', table, column: name }] : [];
}

/** nextval('numbers') */
function sequenceOf(value: Node | undefined): { readonly sequence?: string } {
  if (!value || !('FuncCall' in value) || joined(value.FuncCall.funcname ?? []) !== 'nextval') return {};
  const [argument] = value.FuncCall.args ?? [];
  const name = argument && 'TypeCast' in argument ? argument.TypeCast.arg : argument;
  return name && 'A_Const' in name && name.A_Const.sval?.sval ? { sequence: name.A_Const.sval.sval } : {};
}

/** Whether autovacuum works on the table after its options were set; undefined: none of them is about it. */
export function autovacuumAfter(options: readonly Node[] = [], isReset = false): boolean | undefined {
  const option = options.flatMap((one) => as(one, 'DefElem') ?? []).find(({ defname }) => defname === 'autovacuum_enabled');
  if (!option) return undefined;
  const { arg } = option;
  const word = as(arg, 'String')?.sval ?? joined(as(arg, 'TypeName')?.names ?? []);
  const value = as(arg, 'Integer') ? String(as(arg, 'Integer')?.ival ?? 0) : word;
  return isReset || !/^(?:f|fa|fal|fals|false|of|off|n|no|0)$/i.test(value);
}

const REWRITES: Readonly<Record<string, string>> = {
  AT_SetLogged: 'SET LOGGED',
  AT_SetUnLogged: 'SET UNLOGGED',
  AT_SetTableSpace: 'SET TABLESPACE',
  AT_SetAccessMethod: 'SET ACCESS METHOD',
  AT_SetExpression: 'SET EXPRESSION',
};
