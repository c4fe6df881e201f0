import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { parseArguments } from '../../lib/cli/migrate-package/arguments';
import { functionOf } from '../../lib/cli/migrate-package/function';
import { SETTINGS_VARIABLE, settingsProblems } from '../../lib/contract';
import { blocks, root, textOf } from './pages';

const PAGE = 'docs/without-cdk.md';
const SAM = join(root, 'examples/without-cdk/sam/template.yaml');

const shown = [...textOf(PAGE).matchAll(/<!-- (\S+) -->\n\n```\w+\n([\s\S]*?)```\n/g)].map(
  ([, file, code]) => [file as string, code as string] as const,
);

test('the page shows three examples', () => expect(shown).toHaveLength(3));

test.each(shown)('%s is shown unchanged, with the settings variable', (file, code) => {
  expect(readFileSync(join(root, file), 'utf8')).toBe(code);
  expect(code).toContain(SETTINGS_VARIABLE);
});

test('the command lines on the page are valid', () => {
  const lines = blocks('sh', [PAGE]).flatMap(({ code }) => code.match(/migrate-package [^>\n]*/g) ?? []);
  expect(lines).toHaveLength(2);
  for (const line of lines) expect(parseArguments(line.trim().split(/\s+/).slice(1))).toMatchObject({ kind: 'run' });
});

test('the example settings on the page are valid', () => {
  const { environment } = functionOf({ architecture: 'arm64', pythonVersion: '3.13' });
  expect(settingsProblems(JSON.parse(environment[SETTINGS_VARIABLE] as string))).toEqual([]);
});

describe('the SAM template', () => {
  const properties = parse(readFileSync(SAM, 'utf8'), { logLevel: 'silent' }).Resources.Migrate.Properties;

  test('has the settings that migrate-package prints', () => {
    const { handler, runtime, architectures, memorySize, timeout, maximumRetryAttempts } = functionOf({
      architecture: 'arm64',
      pythonVersion: '3.13',
    });
    expect(properties).toMatchObject({
      Handler: handler,
      Runtime: runtime,
      Architectures: architectures,
      MemorySize: memorySize,
      Timeout: timeout,
      EventInvokeConfig: { MaximumRetryAttempts: maximumRetryAttempts },
    });
    const settings = properties.Environment.Variables[SETTINGS_VARIABLE].replaceAll(/\$\{(\w+)\}/g, '$1');
    expect(settingsProblems(JSON.parse(settings))).toEqual([]);
  });

  test('passes cfn-lint', () => {
    const { status, stdout, error } = spawnSync('cfn-lint', ['--template', SAM], { encoding: 'utf8' });
    expect([error, stdout, status]).toEqual([undefined, '', 0]);
  });
});

test('the Pulumi program is valid Python', () => {
  const file = join(root, 'examples/without-cdk/pulumi/__main__.py');
  const { stderr, status } = spawnSync('python3', ['-c', 'import ast, sys; ast.parse(open(sys.argv[1]).read())', file], {
    encoding: 'utf8',
  });
  expect([stderr, status]).toEqual(['', 0]);
});
