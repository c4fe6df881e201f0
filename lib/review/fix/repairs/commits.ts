import type { BodyFacts, BodyUnit, WantedPiece } from '../../../contract/facts';
import type { Finding } from '../../finding';
import type { AnalyzedRevision, Direction } from '../../revision/analyzed-revision';
import { isConcurrent } from '../../sql/concurrently';
import { AUTOCOMMIT, keptPiece } from '../plan/pieces';
import type { Planned } from '../plan/plan';
import { Units } from '../plan/units';

const COMMIT = /^[\w.()]*\bcommit\(\)$|\bexecute\(\s*(?:\w+\.)?(?:text\(\s*)?["']+\s*(?:COMMIT|END)\s*;?\s*["']+\s*\)*$/i;

/** Removes the revision's own commits, and puts statements that can't run in a transaction into autocommit blocks. */
export function withoutCommits(revision: AnalyzedRevision, found: readonly Finding[], bodies: BodyFacts): Planned {
  const all = (reason: string) => ({ notFixed: found.map((finding) => ({ finding, reason })) });
  if (!bodies.upgrade || !bodies.downgrade) return all('its functions are not written in the usual way');
  const functions = [
    new FunctionRewriter(revision, 'upgrade', bodies.upgrade),
    new FunctionRewriter(revision, 'downgrade', bodies.downgrade),
  ];
  const left = found.filter((finding) => !functions.some((one) => one.repairs(finding)));
  if (left.length === found.length) {
    return all(
      'it is in a loop, a condition or a helper function, or rolls back: put what it commits into an autocommit block by hand, as shown',
    );
  }
  const [up, down] = functions.map((one) => one.pieces()) as [WantedPiece[], WantedPiece[]];
  const fixed = found.filter((finding) => !left.includes(finding));
  // A revision that fails in its transaction has no result to compare with.
  const repairs = fixed.some(({ rule }) => rule === 'concurrently-in-transaction');
  return {
    plan: { revision, fixed, phases: [{ phase: 'build', up, down }], ...(repairs ? { repairs } : {}) },
    notFixed: left.map((finding) => ({ finding, reason: 'it is no plain statement of the function' })),
  };
}

class FunctionRewriter {
  private readonly statements: readonly BodyUnit[];
  private readonly units: Units;

  constructor(
    revision: AnalyzedRevision,
    private readonly direction: Direction,
    body: readonly BodyUnit[],
  ) {
    this.statements = body.filter(({ kind }) => kind !== 'nothing');
    this.units = new Units(body, revision[direction]);
  }

  repairs({ direction, line }: Finding): boolean {
    const unit = this.statements.find((one) => line >= one.line && line <= one.endLine);
    return direction === this.direction && !!unit && (isCommit(unit) || this.needsAutocommit(unit));
  }

  pieces(): readonly WantedPiece[] {
    return this.statements
      .filter((unit) => !isCommit(unit))
      .map((unit) => (this.needsAutocommit(unit) ? inAutocommit(unit) : keptPiece(unit)));
  }

  /** Whether it needs an autocommit block. */
  private needsAutocommit(unit: BodyUnit): boolean {
    if (unit.kind !== 'plain' || unit.within) return false;
    return this.units.steps(unit).some(({ sql }) => isConcurrent(sql)) || /postgresql_concurrently\s*=\s*True/.test(unit.code);
  }
}

function isCommit({ kind, code }: BodyUnit): boolean {
  const own = code.split('\n').filter((line) => !line.trimStart().startsWith('#'));
  return kind === 'plain' && COMMIT.test(own.join('\n').trim());
}

function inAutocommit({ code, isApart }: BodyUnit): WantedPiece {
  return { code: dedented(code), within: AUTOCOMMIT, isApart };
}

function dedented(code: string): string {
  const indent = /^\s*/.exec(code)?.[0] ?? '';
  return code
    .split('\n')
    .map((line) => (line.startsWith(indent) ? line.slice(indent.length) : line))
    .join('\n');
}
