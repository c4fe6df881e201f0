import { lineage, showGraph } from '../../../lib/cli/safe-alembic/history/show-graph';
import { Terminal } from '../../../lib/cli/screen/terminal';
import type { GraphFacts } from '../../../lib/contract/facts';

/** A graph of `revision: its parents`, in the order in which they are applied. */
function graph(parents: Readonly<Record<string, readonly string[]>>): GraphFacts {
  const followed = new Set(Object.values(parents).flat());
  return {
    revisions: Object.entries(parents).map(([revision, downRevisions]) => ({
      revision,
      message: `Message of ${revision}`,
      file: `versions/${revision}.py`,
      downRevisions,
      dependsOn: [],
      branchLabels: [],
    })),
    heads: Object.keys(parents).filter((revision) => !followed.has(revision)),
  };
}

function drawn(facts: GraphFacts, at?: readonly string[], columns?: number): string {
  let text = '';
  const stream = { isTTY: columns !== undefined, columns, hasColors: () => false, write: (part: string) => (text += part) };
  showGraph(new Terminal(stream as never), facts, at && { at, applied: lineage(facts, at) });
  return `\n${text}`;
}

describe('the graph of revisions', () => {
  test('is a line from newest to oldest that marks the database', () => {
    expect(drawn(graph({ a: [], b: ['a'], c: ['b'] }), ['b'])).toBe(`
○ c  Message of c  (head)
● b  Message of b  (database)
● a  Message of a
`);
  });

  test('shows branches and where they meet', () => {
    expect(drawn(graph({ a: [], b: ['a'], c: ['a'], d: ['b', 'c'], e: ['d'] }), ['b', 'c'])).toBe(`
○ e  Message of e  (head)
○ d  Message of d
├─╮
│ ● c  Message of c  (database)
● │ b  Message of b  (database)
├─╯
● a  Message of a
`);
  });

  test('shows several heads and several bases', () => {
    expect(drawn(graph({ a: [], x: [], b: ['a'], c: ['a'] }))).toBe(`
● c  Message of c  (head)
│ ● b  Message of b  (head)
│ │ ● x  Message of x  (head)
├─╯
● a  Message of a
`);
  });

  test.each([40, 20])('keeps each revision on one line of a narrow terminal, and cuts no id: %i columns', (columns) => {
    const facts = graph({ '1b4591675d23': [], '54f972feefa5': ['1b4591675d23'] });
    const lines = drawn(facts, ['54f972feefa5'], columns).trim().split('\n');
    expect(lines.filter((line) => line.length > columns)).toEqual([]);
    expect(lines.map((line) => line.slice(0, 14))).toEqual(['● 54f972feefa5', '● 1b4591675d23']);
  });

  test('on a narrow terminal the mark of the database comes before the message', () => {
    const facts = graph({ '1b4591675d23': [], '54f972feefa5': ['1b4591675d23'] });
    expect(drawn(facts, ['54f972feefa5'], 40)).toBe(`
● 54f972feefa5  Messa…  (database, head)
● 1b4591675d23  Message of 1b4591675d23
`);
  });

  test('stays readable with more branches than fit', () => {
    const parents: Record<string, string[]> = { base: [] };
    for (let branch = 1; branch <= 30; branch++) parents[`b${branch}`] = ['base'];
    const lines = drawn(graph(parents), undefined, 60).trim().split('\n');
    expect(lines.filter((line) => line.length > 60)).toEqual([]);
    for (const revision of Object.keys(parents)) expect(lines.join('\n')).toContain(`● ${revision} `);
  });
});
