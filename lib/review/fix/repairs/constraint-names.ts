import type { BodyFacts, BodyUnit, Call } from '../../../contract/facts';
import { finalName } from '../../advice/python';
import type { Finding } from '../../finding';
import type { AnalyzedRevision } from '../../revision/analyzed-revision';
import { unnamedDrops } from '../../rules/reversibility';
import { droppedMembers } from '../column-members';
import { keptPiece } from '../plan/pieces';
import type { Planned } from '../plan/plan';

const KINDS: Readonly<Record<string, string>> = {
  foreignkey: 'foreign key',
  unique: 'unique',
  check: 'check',
  primary: 'primary key',
};
const NO_NAME = /(\bdrop_constraint\(\s*(?:constraint_name\s*=\s*)?)None\b/g;

/** Writes the names that the upgrade's constraints have in the catalog into the downgrade. The upgrade stays as it is. */
export function nameConstraints(
  revision: AnalyzedRevision,
  found: readonly Finding[],
  { upgrade, downgrade }: BodyFacts,
): Planned {
  const all = (reason: string) => ({ notFixed: found.map((finding) => ({ finding, reason })) });
  if (!revision.upgrade.replayed) return all('nothing can be proved, because its upgrade does not run to its end');
  if (!upgrade || !downgrade) return all('its functions are not written in the usual way');
  const names = new ConstraintNames(revision, downgrade);
  const down = downgrade.filter(isStatement).map((unit) => ({ ...keptPiece(unit), code: names.write(unit) }));
  if (names.problem !== undefined) return all(names.problem);
  const phases = [{ phase: 'add', up: upgrade.filter(isStatement).map(keptPiece), down }] as const;
  return { plan: { revision, fixed: found, phases, repairs: true }, notFixed: [] };
}

function isStatement({ kind }: BodyUnit): boolean {
  return kind !== 'nothing';
}

/** Assigns constraint names to calls. Within one table and kind the order does not matter: all are dropped. */
class ConstraintNames {
  problem: string | undefined;
  private readonly remaining = new Map<string, string[]>();

  constructor(
    private readonly revision: AnalyzedRevision,
    private readonly units: readonly BodyUnit[],
  ) {}

  write(unit: BodyUnit): string {
    const calls = this.callsOf(unit);
    if (!calls.length) return unit.code;
    const written = unit.code.match(NO_NAME)?.length ?? 0;
    if (unit.kind !== 'plain' || calls.length !== 1 || written !== 1) {
      this.problem = `line ${unit.line} is no plain call of drop_constraint(None)`;
    }
    const name = this.next(targetOf(calls[0] as Call));
    return unit.code.replace(NO_NAME, (_, before) => before + finalName(name));
  }

  private next({ table, type }: Target): string {
    const key = `${table} ${type}`;
    const left = this.remaining.get(key) ?? this.createdByUpgrade({ table, type });
    this.remaining.set(key, left);
    return left.shift() ?? '';
  }

  /** The constraints that the upgrade creates and the downgrade does not name. */
  private createdByUpgrade({ table, type }: Target): string[] {
    const { upgrade, downgrade } = this.revision;
    const dropped = droppedMembers(upgrade);
    const before = new Set(upgrade.findTable(table)?.constraints.map(({ name }) => name));
    const isMade = (name: string) => !before.has(name) || dropped.has(name);
    const naming = (name: string) => this.units.filter(({ code }) => code.includes(`"${name}"`) || code.includes(`'${name}'`));
    const isDropped = (name: string) => naming(name).some(({ code }) => /drop_constraint|drop\s+constraint/i.test(code));
    // One that the downgrade makes again under its name is dropped before.
    const madeAgain = (name: string) => naming(name)[0]?.line ?? Number.POSITIVE_INFINITY;
    const made = (downgrade.findTable(table)?.constraints ?? [])
      .filter(({ name, kind }) => kind === KINDS[type] && isMade(name) && !isDropped(name))
      .sort((one, other) => madeAgain(one.name) - madeAgain(other.name) || 0);
    const wanted = unnamedDrops(this.revision.downgrade).map(targetOf);
    const drops = wanted.filter((other) => other.table === table && other.type === type).length;
    if (made.length !== drops) {
      this.problem = `its downgrade drops ${drops} ${KINDS[type] ?? type} constraints of ${table} without a name, and its upgrade makes ${made.length}`;
    }
    return made.map(({ name }) => name);
  }

  private callsOf({ line, endLine }: BodyUnit): readonly Call[] {
    return unnamedDrops(this.revision.downgrade).filter((call) => call.line >= line && call.line <= endLine);
  }
}

interface Target {
  readonly table: string;
  readonly type: string;
}

/** The table and the type of a drop. The facts of a call in a batch include the batch's table. */
function targetOf({ args, keywords }: Call): Target {
  const schema = typeof keywords.schema === 'string' ? `${keywords.schema}.` : '';
  return { table: `${schema}${args[1] ?? keywords.table_name}`, type: String(args[2] ?? keywords.type_ ?? '') };
}
