import type { TrialFacts, TrialState } from '../../../lib/contract/facts';
import { namesTable } from '../../../lib/review/fix/blame';
import { whyDifferent, whyNotUndone } from '../../../lib/review/fix/proof';

const state = (row: Readonly<Record<string, unknown>>): TrialState => ({ entries: {}, indexes: {}, rows: { users: [row] } });

/** A trial that adds a column with these values the first and the second time. */
function trial(first: unknown, second: unknown, id = 1): TrialFacts {
  const before = state({ id });
  return { before, after: state({ id, added: first }), restored: before, again: state({ id, added: second }) };
}

test('a new column must get the same values as with the original revision', () => {
  expect(whyDifferent(trial('a', 'a'), trial('a', 'a'))).toBeUndefined();
  expect(whyDifferent(trial('a', 'a'), trial('b', 'b'))).toBe('the rows of users differ after the upgrade');
  expect(whyDifferent(trial('a', 'a'), trial('a', null))).toBe('the rows of users differ after the second upgrade');
});

test('values that differ each time, or by row, must only exist', () => {
  expect(whyDifferent(trial('random 1', 'random 2'), trial('random 3', 'random 4'))).toBeUndefined();
  expect(whyDifferent(trial('of 1', 'of 1', 1), trial('of 2', 'of 2', 2))).toBeUndefined();
  expect(whyDifferent(trial('random 1', 'random 2'), trial(null, null))).toBe('the rows of users differ after the upgrade');
});

test('a value that the original revision keeps must not change', () => {
  const kept = { before: state({ id: 1 }), after: state({ id: 1 }), restored: state({ id: 1 }), again: state({ id: 1 }) };
  expect(whyDifferent(kept, { ...kept, after: state({ id: 2 }) })).toBe('the rows of users differ after the upgrade');
});

test('an earlier revision that was fixed too may leave other rows, and the revision must add as many', () => {
  const withRows = (...ids: readonly string[]): TrialState => ({ ...state({}), rows: { users: ids.map((id) => ({ id })) } });
  const adding = (start: readonly string[], ...added: readonly string[]): TrialFacts => ({
    before: withRows(...start),
    after: withRows(...start, ...added),
    restored: withRows(...start),
    again: withRows(...start, ...added),
  });
  expect(whyDifferent(adding(['a', 'b']), adding(['c']))).toBeUndefined();
  expect(whyDifferent(adding(['a', 'b']), adding(['a'], 'b'))).toBe('the rows of users differ after the upgrade');
});

test('rows that the revision adds may have other random keys, and the rows from before must keep theirs', () => {
  const withRows = (...ids: string[]): TrialState => ({ ...state({}), rows: { users: ids.map((id) => ({ id })) } });
  const adding = (first: string, second: string, kept = 'a'): TrialFacts => ({
    before: withRows('a'),
    after: withRows(kept, first),
    restored: withRows('a'),
    again: withRows(kept, second),
  });
  expect(whyDifferent(adding('x', 'y'), adding('z', 'w'))).toBeUndefined();
  expect(whyDifferent(adding('x', 'x'), adding('z', 'z'))).toBe('the rows of users differ after the upgrade');
  expect(whyDifferent(adding('x', 'y'), adding('z', 'w', 'b'))).toBe('the rows of users differ after the upgrade');
  // The downgrade leaves the row, so only the column's default tells that the key is random.
  const leaving = (id: string, value: string): TrialFacts => {
    const added = { ...withRows('a', id), entries: { 'column users.id': `uuid DEFAULT ${value}` } };
    return { before: withRows('a'), after: added, restored: added, again: added };
  };
  expect(whyDifferent(leaving('x', 'gen_random_uuid()'), leaving('y', 'gen_random_uuid()'))).toBeUndefined();
  expect(whyDifferent(leaving('x', "'x'"), leaving('y', "'x'"))).toBe('the rows of users differ after the upgrade');
});

test('a downgrade must restore the earlier state, and a second upgrade the same final state', () => {
  const undone = trial('a', 'a');
  expect(whyNotUndone(undone)).toBeUndefined();
  const left = { ...undone.before, entries: { 'column users.added': 'text' } } as TrialState;
  expect(whyNotUndone({ ...undone, restored: left })).toBe(
    'its downgrade leaves another schema: column users.added was absent, and is text',
  );
  const labels = (list: string): TrialState => ({ ...state({ id: 1 }), entries: { 'type mood': `ENUM (${list})` } });
  const gained = { before: labels("'a'"), after: labels("'a', 'b'"), restored: labels("'a', 'b'"), again: labels("'a', 'b'") };
  expect(whyNotUndone(gained)).toBeUndefined();
  expect(whyNotUndone({ ...gained, restored: labels("'b'") })).toContain("type mood was ENUM ('a'), and is ENUM ('b')");
  expect(whyNotUndone({ ...undone, restored: state({ id: 2 }) })).toBe('the rows of users differ after the downgrade');
  expect(whyNotUndone(trial('a', 'b'))).toBe('the rows of users differ after the second upgrade');
  const at = (value: string | null, text: string) => ({
    ...state({ id: 1, added: value }),
    entries: { 'column users.added': text },
  });
  const added = (text: string, second: string | null): TrialFacts => ({
    ...trial(null, null),
    after: at('8:00', text),
    again: at(second, text),
  });
  expect(whyNotUndone(added('timestamp DEFAULT now()', '9:00'))).toBeUndefined();
  expect(whyNotUndone(added('timestamp DEFAULT now()', null))).toBe('the rows of users differ after the second upgrade');
  expect(whyNotUndone(added("text DEFAULT '8:00'", '9:00'))).toBe('the rows of users differ after the second upgrade');
  expect(whyNotUndone({ failure: 'no such constraint' })).toBe('the safe form fails: no such constraint');
});

test('what the original revision loses may be lost in each part of the series, and nothing else', () => {
  const all = { id: 1, kept: 'k', lost: 'l' };
  const [whole, without] = [state(all), state({ id: 1, kept: 'k' })];
  const original = { before: whole, after: without, restored: state({ ...all, lost: null }), again: without };
  const part = { ...original, after: state({ id: 1, kept: 'k', new: 'k' }), again: state({ id: 1, kept: 'k', new: 'k' }) };
  expect(whyNotUndone(part)).toBe('the rows of users differ after the downgrade');
  expect(whyNotUndone(part, original)).toBeUndefined();
  const other = { ...part, restored: state({ ...all, kept: null, lost: null }) };
  expect(whyNotUndone(other, original)).toBe('the rows of users differ after the downgrade');
  expect(whyNotUndone({ ...part, again: state({ id: 1, kept: 'k', new: null }) }, original)).toContain('second upgrade');
  const none = { ...whole, rows: { users: [] } };
  expect(whyNotUndone({ ...part, restored: none }, { ...original, restored: none })).toBeUndefined();
  expect(whyNotUndone({ ...part, restored: none }, original)).toBe('the rows of users differ after the downgrade');
});

test('what neither the revision nor its safe form changes does not count as a difference', () => {
  const undone = trial('a', 'a');
  const having = (is: string, facts: TrialFacts): TrialFacts => {
    const all = Object.entries(facts).map(([name, value]) => [
      name,
      { ...(value as TrialState), entries: { 'column users.nick': is } },
    ]);
    return Object.fromEntries(all);
  };
  expect(whyDifferent(undone, having('text', undone))).toBeUndefined();
  const made = { ...having('text', undone), before: undone.before };
  expect(whyDifferent(undone, made as TrialFacts)).toBe(
    'the safe form ends with another schema: column users.nick is absent, and would be text',
  );
});

test('a statement names a table of another schema only with the schema', () => {
  const update = 'op.execute("UPDATE shop.\\"Order\\" SET a = 1")';
  expect(['shop.Order', 'app.Order', 'shop.Orders'].map((table) => namesTable(update, table))).toEqual([true, false, false]);
  expect(namesTable('op.execute("UPDATE users SET a = 1")', 'users')).toBe(true);
});
