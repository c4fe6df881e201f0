import type { GraphRevision } from '../../../contract/facts';
import { html, type Markup } from './markup';

type Node = Pick<GraphRevision, 'revision' | 'downRevisions'>;

/** The lines of the graph in the row of one revision; lanes are numbered from the left. */
export interface GraphRow {
  readonly lane: number;
  /** Lanes that lead from parents to this revision. */
  readonly from: readonly number[];
  /** Lanes that lead to its children. */
  readonly to: readonly number[];
  /** Lanes of other revisions, which pass through. */
  readonly past: readonly number[];
}

/** The graph as rows, in the order of the revisions, parents before children. An edge stays in its lane, as a straight line. */
export function graphRows(revisions: readonly Node[]): GraphRow[] {
  const children = new Map<string, string[]>();
  for (const { revision, downRevisions } of revisions) {
    for (const down of downRevisions) children.set(down, [...(children.get(down) ?? []), revision]);
  }
  /** The revision that each lane leads to. */
  const lanes: (string | undefined)[] = [];
  const free = (): number => {
    const lane = lanes.indexOf(undefined);
    return lane < 0 ? lanes.length : lane;
  };
  return revisions.map(({ revision }) => {
    const from = [...lanes.keys()].filter((lane) => lanes[lane] === revision);
    const lane = from[0] ?? free();
    const past = [...lanes.keys()].filter((other) => lanes[other] !== undefined && lanes[other] !== revision);
    for (const ended of from) lanes[ended] = undefined;
    const to = (children.get(revision) ?? []).map((child, index) => {
      const taken = index === 0 ? lane : free();
      lanes[taken] = child;
      return taken;
    });
    return { lane, from, to, past };
  });
}

const GAP = 15;
const MAX_WIDTH = 135;
/** Vertical positions: of the dot, and of the end of the bend where a line changes its lane. */
const DOT = 21;
const BEND = 46;
/** Lines end below any row: the part that does not fit is clipped. */
const BELOW_ANY_ROW = 100_000;

/** Draws the rows, all with the same width. */
export class GraphDrawing {
  readonly width: number;
  private readonly gap: number;

  constructor(rows: readonly GraphRow[]) {
    const lanes = 1 + Math.max(0, ...rows.flatMap(({ lane, to, past }) => [lane, ...to, ...past]));
    this.gap = Math.min(GAP, MAX_WIDTH / lanes);
    this.width = Math.ceil(lanes * this.gap) + 6;
  }

  row({ lane, from, to, past }: GraphRow, kind: 'reviewed' | 'beside' | 'error' | 'warning'): Markup {
    const x = (of: number): number => Math.round((of + 0.5) * this.gap * 10) / 10 + 3;
    const dot = x(lane);
    const lines = [
      ...past.map((other) => `M${x(other)} 0V${BELOW_ANY_ROW}`),
      ...from.map((other) => (other === lane ? `M${dot} 0V${DOT}` : `M${x(other)} 0C${x(other)} 14 ${dot} 6 ${dot} ${DOT}`)),
      ...to.map((other) =>
        other === lane
          ? `M${dot} ${DOT}V${BELOW_ANY_ROW}`
          : `M${dot} ${DOT}C${dot} 40 ${x(other)} 28 ${x(other)} ${BEND}V${BELOW_ANY_ROW}`,
      ),
    ];
    return html`<svg class="lanes" width="${this.width}" height="100%" aria-hidden="true"><path d="${lines.join('')}"/><circle class="${kind}" cx="${dot}" cy="${DOT}" r="5"/></svg>`;
  }
}
