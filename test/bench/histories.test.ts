import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { FAULTS, writeFaulty } from '../../bench/test-bed/faults';
import { idOf, soundSteps } from '../../bench/test-bed/histories';
import { RULES } from '../../lib/review';

test('a history has the requested number of revisions', () => {
  expect(soundSteps(100)).toHaveLength(100);
});

test('every planted fault is unique, and the review has a rule for it', () => {
  const ids = RULES.map(({ id }) => id);
  expect(new Set(FAULTS.map(({ name }) => name)).size).toBe(FAULTS.length);
  for (const { rule } of FAULTS) expect(ids).toContain(rule);
});

test('a faulty history differs from the correct one only in the faulty revision, and one revision follows it', () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'cdk-alembic-bench-'));
  const versions = (name: string) => path.join(folder, name, 'migrations', 'versions');
  try {
    const fault = FAULTS.find(({ rule }) => rule === 'index-not-concurrent');
    expect(writeFaulty(path.join(folder, 'sound'))).toEqual([idOf(11)]);
    expect(writeFaulty(path.join(folder, 'faulty'), fault)).toEqual([idOf(11), idOf(12)]);
    const [sound, faulty] = [readdirSync(versions('sound')), readdirSync(versions('faulty'))];
    expect(faulty).toHaveLength(sound.length + 1);
    expect(readFileSync(path.join(versions('faulty'), faulty[10] as string), 'utf8')).toContain('op.create_index(');
    expect(readFileSync(path.join(versions('faulty'), faulty[11] as string), 'utf8')).toContain(`down_revision = "${idOf(11)}"`);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
