import { readFileSync } from 'node:fs';
import { PAGE, pageWith, RESULTS } from '../../bench/review';
import { HAZARDS, readCases } from '../../bench/review/cases';
import { ALEMBIC_GUARD, SAFE_ALEMBIC, SQUAWK } from '../../bench/review/hazards';
import { missList } from '../../bench/review/page';
import { judged } from '../../bench/review/score';
import { RULES } from '../../lib/review';

const CASES = readCases();
const RESULT = JSON.parse(readFileSync(RESULTS, 'utf8'));

describe('the benchmark of reviews', () => {
  test('has at least 60 dangerous and 40 safe revisions, each with its source', () => {
    expect(CASES.filter(({ hazard }) => hazard !== 'safe').length).toBeGreaterThanOrEqual(60);
    expect(CASES.filter(({ hazard }) => hazard === 'safe').length).toBeGreaterThanOrEqual(40);
    expect(CASES.filter(({ reason }) => !/\]\(https:\/\//.test(reason))).toEqual([]);
    expect(new Set(CASES.map(({ name, hazard }) => `${hazard} ${name}`)).size).toBe(CASES.length);
  });

  test('maps existing rules to existing hazards', () => {
    const own = Object.keys(SAFE_ALEMBIC).filter((rule) => !rule.startsWith('squawk-'));
    expect(own.filter((rule) => !RULES.some(({ id }) => id === rule))).toEqual([]);
    for (const hazards of [SAFE_ALEMBIC, SQUAWK, ALEMBIC_GUARD].flatMap((rules) => Object.values(rules).flat()))
      expect(HAZARDS).toContain(hazards);
  });

  test('counts a dangerous revision as found if its hazard is named, and a safe one as passed if no error names a hazard', () => {
    const dangerous = { name: 'A', hazard: 'fails', reason: '', upgrade: '' } as const;
    const safe = { ...dangerous, hazard: 'safe' } as const;
    const hazards = { cast: ['fails'], lock: ['blocks-reads'] } as const;
    const reported = (rule: string, fails = true) => [{ rule, fails }];
    const score = (given: typeof dangerous | typeof safe, ...findings: Parameters<typeof judged>[1][]) =>
      findings.map((found) => judged(given, found, hazards)).map(({ strict, loose }) => [strict, loose]);

    expect(score(dangerous, reported('cast'), reported('lock'), reported('style'), [], undefined)).toEqual([
      [true, true],
      [false, true],
      [false, true],
      [false, false],
      [false, false],
    ]);
    expect(score(safe, reported('cast'), reported('cast', false), reported('style'), [])).toEqual([
      [false, false],
      [true, false],
      [true, false],
      [true, true],
    ]);
  });

  test('has been run on these cases, and the page shows the results and the misses', () => {
    for (const { judged } of RESULT.tools)
      expect(judged.map(({ name, hazard }: (typeof CASES)[number]) => [name, hazard])).toEqual(
        CASES.map(({ name, hazard }) => [name, hazard]),
      );
    const page = readFileSync(PAGE, 'utf8');
    expect(pageWith(RESULT, page)).toBe(page);
    const judgedCase = { name: 'A', hazard: 'fails', rules: ['lock'], strict: false, loose: true } as const;
    expect(missList({ date: '', tools: [{ name: 'ours', version: '1', judged: [judgedCase] }] })).toBe(
      '- fails: A (reported: `lock`)',
    );
  });
});
