import type { BodyUnit } from '../../../contract/facts';
import type { Step } from '../../revision/analyzed-revision';
import type { PlainStep } from '../../revision/steps';
import { lockedAlone } from '../../rules/locking/locks';
import { type FormPart, PHASES, type Phase, type SafeForm } from '../form';
import { addPiece, keptPiece, newPiece, statementPiece } from './pieces';
import type { Fixable } from './plan';
import { type Place, Round } from './round';
import { groupByStatement, isIgnored, objectsOf, type StatementSteps, separateCommands } from './statements';
import type { Units } from './units';

/** What is above a statement. */
type Above = Pick<BodyUnit, 'comments' | 'isApart'>;

/** The upgrade's statements in rounds of phases. */
export class UpgradePlan {
  /** Why there is none. */
  problem: string | undefined;
  readonly rounds = [new Round()];
  /** Where each object is created or dropped. */
  readonly owners = new Map<string, Place>();
  /** Where the downgrade undoes each form first. */
  readonly undoPlaces = new Map<SafeForm, Place>();
  private readonly fixable: readonly Fixable[];

  constructor(
    found: readonly Fixable[],
    private readonly up: Units,
    private readonly down: Units,
    private readonly inOrder: boolean,
  ) {
    this.fixable = found.filter(({ form }) => !form.splits);
    const splits = !inOrder && found.length > this.fixable.length;
    const units = withTheirTable(up);
    for (const [at, group] of (splits ? byLockedTable(units, up) : [units]).entries()) {
      if (at > 0) this.rounds.push(new Round());
      for (const unit of group) this.addUnit(unit, up.steps(unit), up.isPlain(unit));
    }
  }

  /** The current round. */
  private get round(): Round {
    return this.rounds.at(-1) as Round;
  }

  private addUnit(unit: BodyUnit, steps: readonly Step[], isPlain: boolean): void {
    if (isIgnored(unit, steps)) return;
    const isFixed = this.fixable.some(({ step }) => steps.includes(step)) || steps.some((step) => this.isReplaced(step));
    if (!isFixed) {
      this.keepUnit(unit);
      return;
    }
    const fixes = this.fixable.filter(({ step }) => steps.includes(step));
    if (fixes.length > 0 && fixes.every(({ form }) => form.isInCondition)) {
      this.addInCondition(unit, fixes);
      return;
    }
    if (!isPlain) this.problem = `line ${unit.line} belongs to it, and is no plain statement`;
    if (unit.checks && !steps.every((step) => this.fixable.some((one) => one.step === step)))
      this.problem = `line ${unit.line} asks for an index, and another statement depends on it`;
    const { condition } = unit;
    const keeping = this.fixable.find(({ step, form }) => form.keeps && steps.includes(step));
    if (keeping) {
      this.addForm(keeping, { comments: [], isApart: unit.isApart }, condition);
      this.keepUnit(unit, { ...keptPiece(unit), isApart: false });
      return;
    }
    const above: Above[] = [unit];
    for (const group of groupByStatement(this.up.allSteps(unit))) this.addStatement(group, above, condition);
  }

  /** Keeps a condition with the safe form of its statements. */
  private addInCondition(unit: BodyUnit, fixes: readonly Fixable[]): void {
    const statements = new Set(fixes.map(({ step }) => this.up.inner(step)).filter((one) => one !== undefined));
    const replaced = [...statements].map((statement) => {
      const own = groupByStatement(this.up.allSteps(unit).filter((step) => this.up.inner(step) === statement));
      return { code: statement.code, by: own.flatMap((group) => this.linesInCondition(group, fixes)).join('\n') };
    });
    this.keepUnit(unit, { ...keptPiece(unit), replaced });
    for (const { phase, up } of fixes.flatMap(({ form }) => form.parts.slice(1)))
      addPiece(this.round.up, phase, newPiece(up, unit.condition));
  }

  /** A statement in a condition: a column with a foreign key is two. */
  private linesInCondition(steps: StatementSteps<PlainStep>, fixes: readonly Fixable[]): readonly string[] {
    const commands = separateCommands(steps);
    return steps.flatMap((step, at) => {
      const fix = fixes.find((one) => one.step === step);
      if (fix) return fix.form.parts[0]?.up ?? [];
      const piece = commands && statementPiece(step, '', commands[at]);
      if (!piece) this.problem = `line ${step.line} can't be written as SQL`;
      return piece?.code ?? [];
    });
  }

  /** @param above for the first form, which removes it */
  private addStatement(steps: StatementSteps<PlainStep>, above: Above[], condition: string): void {
    const found = this.fixable.filter(({ step }) => steps.includes(step));
    if (!found.length) {
      if (!steps.every((step) => this.isReplaced(step))) this.addAsSql(steps[0], condition);
      return;
    }
    const commands = separateCommands(steps);
    if (!commands) this.problem = 'one statement does several things';
    for (const [at, step] of steps.entries()) {
      const fix = found.find((one) => one.step === step);
      if (fix && this.isCovered(fix)) continue;
      if (fix) this.addForm(fix, above.pop(), condition);
      else if (!this.isReplaced(step)) this.addAsSql(step, condition, commands?.[at]);
    }
  }

  /** Whether the form of another statement replaces it, such as an index that is rebuilt only for a new type. */
  private isCovered({ step, form }: Fixable): boolean {
    return this.fixable.some((other) => other.form.replaces?.(step) && other.step !== step && !form.replaces?.(other.step));
  }

  private isReplaced(step: PlainStep): boolean {
    return this.fixable.some(({ form }) => form.replaces?.(step));
  }

  /** Adds a statement that stays. */
  private keepUnit(unit: BodyUnit, piece = keptPiece(unit)): void {
    const steps = this.up.allSteps(unit);
    const phase = unit.within.includes('autocommit_block') ? 'build' : 'add';
    this.startRoundFor(phase);
    this.own(steps, { round: this.round, phase });
    if (this.isReached(unit) && mayWriteRows(unit, steps)) this.recordWrite(phase, unit.line);
    addPiece(this.round.up, phase, piece);
  }

  /** Whether the scratch database runs a unit: its condition may exclude this kind of database. */
  private isReached({ condition }: BodyUnit): boolean {
    return !condition || this.up.all.some((unit) => unit.condition === condition && this.up.steps(unit).length > 0);
  }

  /** Keeps the order of writes: the proof would miss a wrong order if a write finds no generated row. */
  private recordWrite(phase: Phase, line: number): void {
    const at = PHASES.indexOf(phase);
    if (at < this.round.lastWrite) this.problem = `line ${line} writes rows, and would run before a statement that it follows`;
    this.round.lastWrite = Math.max(this.round.lastWrite, at);
  }

  private addForm({ step, form }: Fixable, above: Above | undefined, condition: string): void {
    const { parts } = form;
    this.startRoundFor(parts.some(({ phase }) => phase === 'fill') ? 'fill' : (parts[0] as FormPart).phase);
    const { up: ups, down: downs, written } = this.round;
    for (const [at, { phase, up, down = [], autocommit, takesName }] of parts.entries()) {
      const part = [phase, ...up].join('\n');
      if (written.has(part)) continue;
      written.add(part);
      if (phase === 'fill') this.recordWrite(phase, step.line);
      if (phase === 'contract' && condition)
        this.problem = `a part of it belongs to the next release, and line ${step.line} asks for the database`;
      this.round.takesName ||= !!takesName;
      const { comments = [], isApart } = (at === 0 && above) || {};
      addPiece(ups, phase, { ...newPiece([...comments, ...up], condition, autocommit), isApart });
      // Downgrades undo in the opposite order.
      if (down.length) this.undoPlaces.set(form, { round: this.round, phase });
      if (down.length) downs.set(phase, [newPiece(down, this.conditionOfUndo(form), autocommit), ...(downs.get(phase) ?? [])]);
    }
    if (step.action.does === 'rename') this.own([step], { round: this.round, phase: (parts[0] as FormPart).phase });
    this.ownReplaced(form);
  }

  /** The downgrade restores what a form replaces where it undoes the form: the old object is there until then. */
  private ownReplaced(form: SafeForm): void {
    const place = this.undoPlaces.get(form);
    const replaced = this.up.all.flatMap((unit) => this.up.steps(unit)).filter((step) => form.replaces?.(step));
    if (place) this.own(replaced, place);
  }

  private own(steps: readonly PlainStep[], place: Place): void {
    for (const name of steps.flatMap(objectsOf)) this.owners.set(name, place);
  }

  private addAsSql(step: PlainStep, condition: string, sql?: string): void {
    const piece = statementPiece(step, condition, sql);
    this.own([step], { round: this.round, phase: 'add' });
    if (piece) addPiece(this.round.up, 'add', piece);
    else this.problem = `line ${step.line} has parameters`;
  }

  private conditionOfUndo({ undoneBy }: SafeForm): string {
    return this.down.all.find((unit) => this.down.steps(unit).some(undoneBy))?.condition ?? '';
  }

  /** Starts another round if a statement of the phase would run before those that it follows. */
  private startRoundFor(phase: Phase): void {
    if (this.inOrder && this.round.isPast(phase)) this.rounds.push(new Round());
  }
}

/** The units of an upgrade. Those that drop indexes of a table go to the one that drops the table: apart from it they would lock it. */
function withTheirTable(up: Units): readonly BodyUnit[] {
  const drops = (unit: BodyUnit) =>
    up.steps(unit).flatMap(({ action }) => (action.does === 'drop' && action.what === 'table' ? action.names : []));
  const moved = new Map<BodyUnit, BodyUnit>();
  for (const [at, unit] of up.all.entries()) {
    const names = up.droppedIndexes(unit);
    const tables = names.map((name) => up.tableOfIndex(name));
    const later = up.all.slice(at + 1);
    const owner = later.find((other) => tables.some((table) => table !== undefined && drops(other).includes(table)));
    const isTaken = later.some((other) => up.createdIndexes(other).some((name) => names.includes(name)));
    if (owner && new Set(tables).size === 1 && !isTaken) moved.set(unit, owner);
  }
  return up.all.flatMap((unit) => (moved.has(unit) ? [] : [...up.all.filter((other) => moved.get(other) === unit), unit]));
}

/** The units of each table that they lock against reads; others stay with those before them. */
function byLockedTable(units: readonly BodyUnit[], up: Units): readonly (readonly BodyUnit[])[] {
  const groups: { readonly tables: Set<string>; readonly units: BodyUnit[] }[] = [];
  let current = { tables: new Set<string>(), units: [] as BodyUnit[] };
  for (const unit of units) {
    const tables = up.steps(unit).flatMap((step) => lockedAlone(step, up.part));
    if (tables.length && current.tables.size) {
      current = groups.find((group) => tables.some((table) => group.tables.has(table))) ?? { tables: new Set(), units: [] };
    }
    if (!groups.includes(current)) groups.push(current);
    for (const table of tables) current.tables.add(table);
    current.units.push(unit);
  }
  return groups.map((group) => group.units);
}

/** Other statements that write no rows of tables. */
const CATALOG_ONLY = /^\s*(?:COMMENT|GRANT)\b/i;
const WRITING_ACTIONS = [
  'insert',
  'update',
  'delete',
  'truncate',
  'refresh',
  'restart sequence',
  'need superuser',
  'unparsed',
  'other',
];

/** Whether a unit may write rows. One that the replay did not enter, such as a loop over rows, may. */
function mayWriteRows({ kind }: BodyUnit, steps: readonly PlainStep[]): boolean {
  const writes = ({ action, sql }: PlainStep) => WRITING_ACTIONS.includes(action.does) && !CATALOG_ONLY.test(sql);
  return kind === 'block' || !steps.length || steps.some(writes);
}
