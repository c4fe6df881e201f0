import type { BodyFacts } from '../../../contract/facts';
import { execute } from '../../advice/python';
import type { Finding } from '../../finding';
import type { AnalyzedRevision, Step } from '../../revision/analyzed-revision';
import { AUTOCOMMIT, keptPiece } from '../plan/pieces';
import type { Planned } from '../plan/plan';
import { Units } from '../plan/units';

/** Adds the new values in a revision before the one that uses them: the upgrade fails as it is. */
export function addValuesFirst(revision: AnalyzedRevision, found: readonly Finding[], bodies: BodyFacts): Planned {
  const all = (reason: string) => ({ notFixed: found.map((finding) => ({ finding, reason })) });
  if (!bodies.upgrade || !bodies.downgrade) return all('its functions are not written in the usual way');
  const units = new Units(bodies.upgrade, revision.upgrade);
  const isAddition = ({ action, transaction }: Step) => action.does === 'add enum value' && transaction >= 0;
  const statements = bodies.upgrade.filter(({ kind }) => kind !== 'nothing');
  const additions = statements.filter((unit) => units.steps(unit).some(isAddition));
  const other = additions.find((unit) => unit.kind !== 'plain' || !units.steps(unit).every(isAddition));
  if (other) return all(`line ${other.line} adds the value, and is no plain statement that does only that`);
  if (!additions.length) return all('the statement that adds the value is in a helper function');
  const values = additions.flatMap((unit) => units.steps(unit)).map(({ sql }) => execute(addedOnce(sql)));
  const rest = statements.filter((unit) => !additions.includes(unit)).map(keptPiece);
  const down = bodies.downgrade.filter(({ kind }) => kind !== 'nothing').map(keptPiece);
  const phases = [
    { phase: 'values', up: values.map((code) => ({ code, within: AUTOCOMMIT })), down: [] },
    { phase: 'add', up: rest, down },
  ] as const;
  return { plan: { revision, fixed: found, phases, repairs: true }, notFixed: [] };
}

/** Adds IF NOT EXISTS, because an interrupted autocommit block runs again. */
function addedOnce(sql: string): string {
  return sql.replace(/\bADD\s+VALUE\s+(?!IF\s)/i, 'ADD VALUE IF NOT EXISTS ').replace(/;\s*$/, '');
}
