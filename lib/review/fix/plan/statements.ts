import type { BodyUnit } from '../../../contract/facts';
import { alterTableCommands } from '../../advice/sql';
import type { Step } from '../../revision/analyzed-revision';
import type { PlainStep } from '../../revision/steps';
import { unqualifiedName } from '../../revision/tables';
import { parseNode } from '../../sql/parse';

/** Whether a unit is no statement of its own: names are written where they are needed, guards everywhere. */
export function isIgnored({ kind }: BodyUnit, steps: readonly Step[]): boolean {
  return kind === 'nothing' || kind === 'guard' || (kind === 'names' && !steps.length);
}

/** Whether a statement is an anonymous block. */
export function isBlock(sql: string): boolean {
  const node = parseNode(sql);
  return node !== undefined && 'DoStmt' in node;
}

/** The steps of one statement. */
export type StatementSteps<One extends PlainStep = Step> = readonly [One, ...One[]];

/** Groups steps by statement: the parts of one ALTER TABLE share an index. */
export function groupByStatement<One extends PlainStep>(steps: readonly One[]): readonly StatementSteps<One>[] {
  const indexes = [...new Set(steps.map(({ index }) => index))];
  return indexes.map((index) => steps.filter((step) => step.index === index) as readonly One[] as StatementSteps<One>);
}

/** The steps of one statement as separate statements; undefined if it can't be split. */
export function separateCommands(steps: StatementSteps<PlainStep>): readonly string[] | undefined {
  const [step, ...more] = steps;
  if (!more.length) return [step.sql];
  const commands = alterTableCommands(step.sql);
  return commands.length === steps.length ? commands : undefined;
}

/** The target of a comment. */
const COMMENT = /^\s*(COMMENT ON .*?) IS\b/is;

/** The objects that a step creates or drops, the properties of a column that it changes, and a rename, as its way back has it. */
export function objectsOf({ action, sql }: PlainStep): readonly string[] {
  switch (action.does) {
    case 'create table':
      return [`table ${action.table}`];
    case 'create view':
      return [`view ${action.view}`];
    case 'create type':
      return [`type ${action.type}`];
    case 'add column':
      return [`column ${action.table}.${action.column.name}`];
    case 'drop column':
      return [`column ${action.table}.${action.column}`];
    case 'set not null':
    case 'drop not null':
      return [`not null ${action.table}.${action.column}`];
    case 'change type':
    case 'set default':
      return [`${action.does} ${action.table}.${action.column}`];
    case 'create index':
      return action.index === undefined ? [] : [`index ${action.index}`];
    case 'drop index':
      return action.indexes.map((name) => `index ${unqualifiedName(name)}`);
    case 'add constraint':
      return action.constraint.name === undefined ? [] : [`constraint ${action.constraint.name}`];
    case 'drop constraint':
      return [`constraint ${action.constraint}`];
    case 'rename':
      return [`rename ${[action.from, action.to].sort().join(' ')}${action.what === 'table' ? '' : ` of ${action.table}`}`];
    case 'drop':
      return action.names.map((name) => `${action.what} ${name}`);
    default:
      return COMMENT.exec(sql)?.slice(1) ?? [];
  }
}
