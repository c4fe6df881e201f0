import { join, resolve } from 'node:path';
import { parseArguments } from '../../../lib/cli/migrate-package/arguments';
import { temporaryDirectory, writeFiles } from '../../packaging/support';

const problems = (...argv: string[]) => {
  const parsed = parseArguments(argv);
  return parsed.kind === 'problems' ? parsed.problems : [];
};

test('all mistakes on the command line are reported at once', () => {
  expect(
    problems(
      '--architecture',
      'mips',
      '--python',
      '2.7',
      '--only',
      'used',
      '--environment',
      'A',
      '--database-variable',
      'dsn=A',
      '--fast',
    ),
  ).toEqual([
    'unknown option --fast',
    "the backend's folder is missing",
    '--output is missing',
    'unknown --architecture mips: use arm64 or x86_64',
    'unknown --python 2.7: use 3.11, 3.12, 3.13, 3.14',
    'unknown --only used: use imported',
    '--environment A is not NAME=value',
    '--database-variable dsn is not part=NAME: the parts are url, urlScheme, host, port, user, password, database',
  ]);
  expect(problems('back', 'more', '-o', 'x.zip')).toEqual(['unexpected argument "more"']);
  expect(problems('back', '-o', 'x.zip', '--database-variable', 'urlScheme=postgresql+pg8000')).toEqual([
    '--database-variable urlScheme=... needs the variable too: url=NAME',
  ]);
});

test('the value of an unknown option is not reported as an argument, too', () => {
  expect(problems('--runtime', '3.13', '-o', 'x.zip', 'back')).toEqual(['unknown option --runtime']);
  expect(problems('back', '-o', 'x.zip', '--arch', 'arm64')).toEqual(['unknown option --arch: did you mean --architecture?']);
  expect(problems('--vers', 'back', 'more', '-o', 'x.zip')).toEqual([
    'unknown option --vers: did you mean --version?',
    'unexpected argument "more"',
  ]);
});

test('options and defaults are those of the construct', () => {
  const directory = writeFiles(temporaryDirectory(), {
    'pyproject.toml': '[project]\nname = "x"\nrequires-python = "==3.12.*"\n',
  });
  const words = [
    '--without',
    'torch',
    '--without',
    'numpy',
    '--only',
    'imported',
    '--wheels',
    'built',
    '--environment',
    'B=2=2',
    '--environment',
    'A=',
  ];
  expect(parseArguments([directory, '-o', 'x.zip', ...words])).toEqual({
    kind: 'run',
    directory,
    output: resolve('x.zip'),
    platform: { architecture: 'arm64', pythonVersion: '3.12' },
    options: {
      alembicConfig: undefined,
      requirements: [],
      groups: [],
      extras: [],
      without: ['torch', 'numpy'],
      add: [],
      wheels: join(directory, 'built'),
      exclude: [],
      onlyImported: true,
      environment: { A: '', B: '2=2' },
      databaseVariables: { url: 'DATABASE_URL' },
      isAssumed: false,
    },
  });
});

test.each([
  [[], { url: 'DATABASE_URL' }, true],
  [['--environment', 'TOKEN=x'], { url: 'DATABASE_URL' }, false],
  [['--environment', 'DATABASE_URL=postgresql://db/shop'], undefined, false],
  [
    ['--database-variable', 'url=DB_URL', '--database-variable', 'urlScheme=postgresql+asyncpg'],
    { url: 'DB_URL', urlScheme: 'postgresql+asyncpg' },
    false,
  ],
])('with %j, the function sets %j to the address', (words, databaseVariables, isAssumed) => {
  const parsed = parseArguments([temporaryDirectory(), '-o', 'x.zip', ...words]);
  expect(parsed).toMatchObject({ options: { databaseVariables, isAssumed } });
});
