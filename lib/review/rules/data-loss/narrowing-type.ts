import type { AlterTableCmd } from 'libpg-query';
import type { RevisionFacts } from '../../../contract/facts';
import { existingType } from '../../revision/operations';
import { narrows } from '../../sql/column-types';
import { joined } from '../../sql/names';
import type { Rule } from '../rule';
import { removedLabels } from './removed-labels';

export const narrowingType: Rule = {
  id: 'narrowing-type',
  group: 'data loss',
  severity: 'error',
  title: 'a column or a sequence gets a narrower type, or an enum loses a label',
  *check(revision, change) {
    const { upgrade, facts } = revision;
    yield* removedLabels(revision);
    for (const { action, holdsRows, isNewColumn, place, call } of upgrade.steps) {
      if (action.does === 'change sequence type' && narrowsSequence(facts, action.sequence, action.type)) {
        const most = action.type === 'int2' ? '32,767' : '2,147,483,647';
        yield {
          ...place,
          message:
            `${action.sequence} ends at ${most}: the statement fails if it is beyond that already, ` +
            'and every insert that needs a number fails once it gets there',
          instead: '# keep the type of the sequence: it may be larger than that of its column',
        };
      }
      if (action.does !== 'change type' || !holdsRows(action.table) || isNewColumn(action.table, action.column)) continue;
      const declared = existingType(call);
      const before = upgrade.findTable(action.table)?.columns.find(({ name }) => name === action.column)?.type ?? declared?.type;
      const known = [
        facts,
        ...change
          .before(revision)
          .map((one) => one.facts)
          .reverse(),
      ];
      const labels = before === undefined ? [] : [...enumLabels(known, before), ...(declared?.labels ?? [])];
      if (before === undefined || !narrows(before, action.type, labels) || buildsDocument(action.written?.node)) continue;
      const type = action.type || 'the new type';
      yield {
        ...place,
        message:
          `${action.table}.${action.column} changes from ${before} to ${type}: a value that does not fit makes the revision ` +
          'fail, or is truncated by its USING',
        instead: `# first check in production: SELECT count(*) FROM ${action.table} WHERE <does not fit ${type}>\n# if you only need a limit, keep ${before} and add a CHECK, NOT VALID first and validated later`,
      };
    }
  },
};

/** Whether USING wraps the value in a JSON document: to_jsonb(name), json_build_array(name). */
function buildsDocument(command: AlterTableCmd | undefined): boolean {
  const using = command?.def && 'ColumnDef' in command.def ? command.def.ColumnDef.raw_default : undefined;
  if (!using || !('FuncCall' in using)) return false;
  return /^(?:pg_catalog\.)?(?:to_jsonb?|jsonb?_build_(?:array|object))$/.test(joined(using.FuncCall.funcname ?? []));
}

/** The labels of an enum before the first of these revisions, from the replay or from the earlier revisions; empty if unknown. */
function enumLabels([own, ...before]: readonly RevisionFacts[], type: string): readonly string[] {
  const entry = `type ${type}`;
  const earlier = before.flatMap(({ changes }) => changes?.added[entry] ?? changes?.changed[entry]?.[1] ?? []);
  const labels = own?.changes?.removed[entry] ?? own?.changes?.changed[entry]?.[0] ?? own?.enums?.[type] ?? earlier[0] ?? '';
  return labels.startsWith('ENUM')
    ? [...labels.matchAll(/'((?:[^']|'')*)'/g)].map(([, label = '']) => label.replaceAll("''", "'"))
    : [];
}

/** Whether an existing sequence gets a smaller type. */
function narrowsSequence({ changes }: RevisionFacts, sequence: string, type: string): boolean {
  const before = changes?.changed[`sequence ${sequence}`]?.[0];
  return (
    before !== undefined && INTEGER_TYPES.indexOf(type) < INTEGER_TYPES.indexOf(SEQUENCE_TYPES[before.split(' ')[0] ?? ''] ?? '')
  );
}

const INTEGER_TYPES = ['int2', 'int4', 'int8'];
/** PostgreSQL's internal type names, by the names that it prints. */
const SEQUENCE_TYPES: Readonly<Record<string, string>> = { smallint: 'int2', integer: 'int4', bigint: 'int8' };
