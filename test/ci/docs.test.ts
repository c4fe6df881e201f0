import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { projectDirectory } from '../../examples/local-aws';
import { COMMANDS } from '../../lib/contract';
import { EXIT } from '../../lib/contract/exit-codes';
import { actionFile, OWN_ACTION, readYaml } from './files';

const directory = path.join(projectDirectory, 'docs');
const text = readFileSync(path.join(directory, 'ci.md'), 'utf8');

/** Blocks of code, with the file that they are said to be from. */
const blocks = [...text.matchAll(/(?:<!-- (\S+) -->\n\n)?```(\w+)\n([\s\S]*?)\n```/g)].map(([, file, language, code]) => ({
  file,
  language,
  code: code as string,
}));
const cited = blocks.filter(({ file }) => file);

/** Rows of the table whose head has this word: the first cell's code, several in one cell apart. */
function rows(head: string): string[] {
  const table = new RegExp(`^\\| ${head} .*\\n\\|[- |]+\\n((?:\\|.*\\n)+)`, 'm').exec(text)?.[1] ?? '';
  return table
    .trimEnd()
    .split('\n')
    .flatMap((row) => [...(row.split('|')[1] as string).matchAll(/`([\w-]+)`/g)].map(([, name]) => name as string));
}

describe('docs/ci.md', () => {
  test('shows parts of at least six files', () => {
    expect(cited.length).toBeGreaterThanOrEqual(6);
  });

  test.each(cited.map(({ file, code }) => [file as string, code]))('shows %s unchanged', (file, code) => {
    expect(readFileSync(path.join(projectDirectory, file), 'utf8')).toContain(`${code}\n`);
  });

  test('has no other code, except policies in JSON', () => {
    const own = blocks.filter(({ file }) => !file);
    expect(own.map(({ language }) => language)).toEqual(['json', 'json']);
    for (const { code } of own) expect(JSON.parse(code)).toMatchObject({ Effect: 'Allow' });
  });

  test('links only to existing files', () => {
    const links = [...text.matchAll(/\]\((\.\.[^)#]*)/g)].map(([, link]) => link as string);
    expect(links.length).toBeGreaterThan(5);
    for (const link of links) expect([link, existsSync(path.join(directory, link))]).toEqual([link, true]);
  });

  test('names every input and output of the action of this version, with its default', () => {
    const { inputs, outputs } = readYaml(actionFile);
    expect(text).toContain(`\`uses: ${OWN_ACTION}\` runs`);
    expect(rows('input')).toEqual(Object.keys(inputs));
    expect(rows('output')).toEqual(Object.keys(outputs));
    for (const [name, { default: value }] of Object.entries<{ default?: string }>(inputs)) {
      if (value) expect(text).toContain(`| \`${name}\` | \`${value}\` |`);
    }
  });

  test('names every exit code and every command', () => {
    for (const code of Object.values(EXIT)) expect(text).toMatch(new RegExp(`^\\| ${code} \\|`, 'm'));
    for (const command of COMMANDS) expect(text).toContain(`\`${command}\``);
    expect(readYaml(actionFile).inputs.command.description).toContain('check');
  });
});
