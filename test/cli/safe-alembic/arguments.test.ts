import { parseArguments } from '../../../lib/cli/safe-alembic/arguments';
import { HELP, helpOf } from '../../../lib/cli/safe-alembic/help';
import { VERB_NAMES } from '../../../lib/cli/safe-alembic/verbs';

const parse = (line: string) => parseArguments(line.split(' ').filter(Boolean));

describe('the command line of safe-alembic', () => {
  test.each([
    ['review', { named: [], all: false, format: 'terminal', overwrite: false }],
    ['review a1 b2 --fail-on never', { named: ['a1', 'b2'], failOn: 'never' }],
    ['review --since origin/main --format sarif', { since: 'origin/main', format: 'sarif', reports: [] }],
    [
      'review --report sarif=a/r.sarif --report html=b=c.html',
      {
        format: 'terminal',
        reports: [
          { format: 'sarif', file: 'a/r.sarif' },
          { format: 'html', file: 'b=c.html' },
        ],
      },
    ],
    ['review --json', { format: 'json' }],
    ['create Add', { message: 'Add', empty: false }],
    ['create -m Add', { message: 'Add' }],
    ['create --message=Add', { message: 'Add' }],
    [
      'create Add --head billing@head --splice --branch-label pay --version-path a/b --rev-id 07 --depends-on a1 --depends-on b2',
      {
        message: 'Add',
        placement: {
          head: 'billing@head',
          splice: true,
          branchLabel: 'pay',
          versionPath: 'a/b',
          revId: '07',
          dependsOn: ['a1', 'b2'],
        },
      },
    ],
    ['apply --revision +1', { revision: '+1' }],
    ['explain', {}],
    ['explain drop-table', { rule: 'drop-table' }],
  ])('%s', (line, given) => {
    expect(parse(line)).toMatchObject({ kind: 'run', verb: line.split(' ')[0], task: { given } });
  });

  test.each([
    ['current', { json: false, progress: true }],
    ['history --project back --python .venv --no-progress', { project: 'back', python: '.venv', progress: false }],
    ['review --json', { json: true }],
    ['review --format=json', { json: true }],
  ])('%s takes the common options', (line, common) => {
    expect(parse(line)).toMatchObject({ kind: 'run', common });
  });

  test.each([
    ['', 'the verb is missing: use create, review, apply, verify, current, history, explain'],
    ['stamp', 'unknown verb "stamp": use create, review, apply, verify, current, history, explain'],
    ['upgrade', 'unknown verb "upgrade": did you mean apply?'],
    ['reveiw --all', 'unknown verb "reveiw": did you mean review?'],
    ['review --dryrun --fix', 'unknown option --dryrun: did you mean --dry-run?'],
    ['review --stats x', 'unknown option --stats'],
    ['review --overwrit', 'unknown option --overwrit: did you mean --overwrite?'],
    ['explain drop-table drop-column', 'explain takes one rule'],
    ['create', 'the message is missing: safe-alembic create "Add notifications table"'],
    ['create Add table', 'the message is more than one argument: put it in quotes'],
    ['create -m Add table', 'the message is more than one argument: put it in quotes'],
    ['review --all --since main', 'revisions, --since and --all exclude each other: use one'],
    ['review --measure --fix', '--measure and --fix exclude each other: fix first, then measure'],
    ['review --json --format sarif', '--json and --format exclude each other: use one'],
    ['review --database-url sqlite:///x', '--database-url must be an address with the scheme postgresql, not sqlite'],
    ['review --report review.html', /^--report must be a format and a file, such as sarif=review\.sarif; the formats are json, /],
    ['review --report terminal=x', /^--report must be a format and a file/],
    ['review --report', '--report needs a value'],
    ['apply --all', 'unknown option --all'],
    ['current head', 'unexpected argument "head"'],
    [
      'review --format xml --fail-on info',
      /unknown --format "xml": use .*; unknown --fail-on "info": use error, warning, never$/,
    ],
  ])('%s is rejected', (line, problem) => {
    const parsed = parse(line);
    expect(parsed.kind === 'problems' && parsed.problems.join('; ')).toMatch(problem);
  });

  test('the help lists every verb and fits into 100 columns', () => {
    for (const verb of VERB_NAMES) expect(HELP).toMatch(new RegExp(`^  ${verb} `, 'm'));
    const texts = [HELP, ...VERB_NAMES.map(helpOf)];
    expect(texts.flatMap((text) => text.split('\n')).filter((line) => line.length > 100)).toEqual([]);
  });

  test.each(VERB_NAMES)('the help of %s lists exactly its options', (verb) => {
    const named = [...new Set(helpOf(verb).match(/--[a-z][a-z-]+/g))].map((name) => name.slice(2));
    const unknown = (name: string) => {
      const parsed = parseArguments([verb, `--${name}`]);
      return parsed.kind === 'problems' && parsed.problems.some((problem) => problem.startsWith('unknown option'));
    };
    expect(named.filter(unknown)).toEqual([]);
    const every =
      'project python json no-progress help version database-url baseline overwrite fail-on head empty since all format report revision';
    expect(every.split(' ').filter((name) => !named.includes(name) && !unknown(name))).toEqual([]);
  });
});
