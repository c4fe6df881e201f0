import type { AnalyzedRevision, RevisionFunction, Step } from '../../revision/analyzed-revision';
import { unqualifiedName } from '../../revision/tables';
import type { RuleFinding } from '../rule';

/** Labels that an enum no longer has after an upgrade which replaces its type, and that no earlier statement handles. */
export function* removedLabels({ upgrade, downgrade }: AnalyzedRevision): Iterable<RuleFinding> {
  const [after, before] = [enumsOf(upgrade), enumsOf(downgrade)];
  for (const [name, { labels, step }] of after) {
    const place = upgrade.steps.find(({ action, index }) => action.does === 'change type' && index > step.index) ?? step;
    const written = upgrade.steps.filter(({ index }) => index <= place.index && index !== step.index).map(textOf);
    const lost = (before.get(name)?.labels ?? []).filter(
      (label) => !labels.includes(label) && !written.some((text) => text.includes(`'${label}'`)),
    );
    if (!lost.length) continue;
    const list = lost.map((label) => `'${label}'`).join(', ');
    yield {
      ...place.place,
      atMost: 'warning',
      message: `the enum ${name} loses ${list}: the upgrade fails if a row has such a value, and running code that writes it fails`,
      instead: `# in an earlier revision, once no running code writes it:\nop.execute("UPDATE ... SET ... = '<another label>' WHERE ... = '${lost[0]}'")`,
    };
  }
}

interface Enum {
  readonly labels: readonly string[];
  readonly step: Step;
}

/** The enums that a function creates, by the names that they have in the end. */
export function enumsOf({ steps }: RevisionFunction): ReadonlyMap<string, Enum> {
  const found = new Map<string, Enum>();
  for (const step of steps) {
    const { action } = step;
    if (action.does === 'create type' && action.labels) found.set(unqualifiedName(action.type), { labels: action.labels, step });
    if (action.does !== 'rename' || action.what !== 'type') continue;
    const renamed = found.get(unqualifiedName(action.from));
    found.delete(unqualifiedName(action.from));
    if (renamed) found.set(action.to, renamed);
  }
  return found;
}

function textOf({ sql, call }: Step): string {
  return sql || JSON.stringify(call?.keywords ?? {});
}
