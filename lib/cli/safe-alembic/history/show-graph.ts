import type { GraphFacts, GraphRevision } from '../../../contract/facts';
import { cut, displayWidth } from '../../screen/display-width';
import { plain, type Terminal } from '../../screen/terminal';

/** A database's position in the graph. */
export interface DatabasePosition {
  /** The revisions in its version table. */
  readonly at: readonly string[];
  /** All applied revisions. */
  readonly applied: ReadonlySet<string>;
}

/** The maximum number of parallel branches to draw: the names of more would not fit. */
const MOST_LANES = 12;

/** Draws the revisions, the newest on top. */
export function showGraph(terminal: Terminal, { revisions, heads }: GraphFacts, database?: DatabasePosition): void {
  const newestFirst = [...revisions].reverse();
  for (const { lanes, revision } of rows(newestFirst)) {
    if (!revision) {
      terminal.line(terminal.paint('dim', lanes));
      continue;
    }
    const applied = database?.applied.has(revision.revision);
    const node = applied === false ? terminal.paint('yellow', '○') : applied ? terminal.paint('green', '●') : '●';
    const drawn = [...lanes].map((sign) => (sign === NODE ? node : terminal.paint('dim', sign))).join('');
    terminal.line(`${drawn} ${labeled(terminal, revision, displayWidth(lanes) + 1, heads, database)}`);
  }
}

/** All applied revisions of a database, from those in its version table. */
export function lineage({ revisions }: GraphFacts, at: readonly string[]): Set<string> {
  const known = new Map(revisions.map((revision) => [revision.revision, revision]));
  const found = new Set<string>();
  const queue = [...at];
  for (let next = queue.pop(); next !== undefined; next = queue.pop()) {
    const revision = known.get(next);
    if (!revision || found.has(next)) continue;
    found.add(next);
    queue.push(...revision.downRevisions, ...revision.dependsOn);
  }
  return found;
}

function labeled(
  terminal: Terminal,
  { revision, message, branchLabels, dependsOn }: GraphRevision,
  indent: number,
  heads: readonly string[],
  database?: DatabasePosition,
): string {
  const labels = [
    ...(database?.at.includes(revision) ? ['database'] : []),
    ...(heads.includes(revision) ? ['head'] : []),
    ...branchLabels.map(plain),
    ...dependsOn.map((other) => `needs ${plain(other)}`),
  ];
  const id = plain(revision);
  const room = terminal.width - indent - displayWidth(`${id}  `);
  const end = labels.length > 0 ? cut(`(${labels.join(', ')})`, room) : '';
  const name = cut(plain(message), room - (end ? displayWidth(end) + 2 : 0));
  return `${terminal.paint('bold', id)}  ${name && end ? `${name}  ` : name}${terminal.paint('cyan', end)}`;
}

const NODE = '●';

interface Row {
  readonly lanes: string;
  /** Absent: only lanes, where branches fork or join. */
  readonly revision?: GraphRevision;
}

/** Lanes as in `git log --graph`: each leads down to a revision that is not drawn yet, and holds its id. */
function* rows(revisions: readonly GraphRevision[]): Generator<Row> {
  const lanes: (string | undefined)[] = [];
  for (const revision of revisions) {
    const incoming = lanes.flatMap((expected, lane) => (expected === revision.revision ? [lane] : []));
    const [own = freeLane(lanes), ...joining] = incoming;
    if (joining.length > 0) yield { lanes: junction(lanes, own, joining, UP) };
    for (const lane of joining) lanes[lane] = undefined;
    lanes[own] = revision.revision;
    trim(lanes);
    yield { lanes: line(lanes, own), revision };

    const [first, ...others] = revision.downRevisions;
    lanes[own] = first;
    const forks = others.map((down) => {
      const known = lanes.indexOf(down);
      const lane = known >= 0 ? known : freeLane(lanes);
      lanes[lane] = down;
      return lane;
    });
    if (forks.length > 0) yield { lanes: junction(lanes, own, forks, DOWN) };
    trim(lanes);
  }
}

function freeLane(lanes: readonly (string | undefined)[]): number {
  const lane = lanes.indexOf(undefined);
  return lane >= 0 ? lane : lanes.length;
}

function trim(lanes: (string | undefined)[]): void {
  while (lanes.length > 0 && lanes.at(-1) === undefined) lanes.pop();
}

function line(lanes: readonly (string | undefined)[], node: number): string {
  const signs = lanes.map((expected, lane) => (lane === node ? NODE : expected === undefined ? ' ' : '│'));
  if (signs.length <= MOST_LANES) return signs.join(' ');
  return node < MOST_LANES ? `${signs.slice(0, MOST_LANES).join(' ')} …` : `${signs.slice(0, MOST_LANES).join(' ')} … ${NODE}`;
}

/** Box-drawing signs, by the sum of the sides that they connect. */
const SIGNS = ' ╵╷│╴╯╮┤╶╰╭├─┴┬┼';
const [UP, DOWN, LEFT, RIGHT] = [1, 2, 4, 8] as const;

/** The line on which lanes fork downwards from their own one, or on which those from above join it. */
function junction(lanes: readonly (string | undefined)[], own: number, others: readonly number[], side: number): string {
  const [from, to] = [Math.min(own, ...others), Math.max(own, ...others)];
  const last = Math.min(Math.max(lanes.length - 1, to), MOST_LANES - 1);
  let text = '';
  for (let lane = 0; lane <= last; lane++) {
    const left = lane > from && lane <= to ? LEFT : 0;
    const right = lane >= from && lane < to ? RIGHT : 0;
    const continues = lane === own || lanes[lane] !== undefined ? UP + DOWN : 0;
    text += SIGNS[left + right + (others.includes(lane) ? side : continues)];
    if (lane < last) text += right ? '─' : ' ';
  }
  return text;
}
