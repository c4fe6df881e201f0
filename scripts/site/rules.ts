import { RULES, type RuleInfo } from '../../lib/review';
import { ruleSection } from '../../lib/review/rule-page';
import { EXAMPLES } from '../../test/review/examples';
import { ENV_EXAMPLES } from '../../test/review/examples/env';
import type { Sample, Script } from '../../test/review/examples/example';
import { FILE_EXAMPLES, type FileExample, type Files } from '../../test/review/examples/files';
import { anchorOf } from './anchor';

/** Each group of rules by the heading that it has in docs/review.md. */
const HEADINGS = [...new Set(RULES.map(({ group }) => group))].map((group) => ({ group, heading: headingOf(group) }));

function headingOf(group: string): string {
  if (group === 'review') return 'The review itself';
  return group === 'env.py' ? group : `${group[0]?.toUpperCase()}${group.slice(1)}`;
}

/** The page of a rule: its section of docs/review.md, and the revisions that the tests review for it. */
export function rulePage({ id, group }: RuleInfo): string {
  const section = ruleSection(id) ?? '';
  const source = section.lastIndexOf('\nSource: ');
  const [text, from] = [section.slice(0, source), section.slice(source + '\nSource: '.length)];
  return `# ${id}\n\n${text}\n${example(id)}\n## Source\n\n${from}\n\nMore: [${headingOf(group)}](review.md#${anchorOf(headingOf(group))}), [acknowledgements](review.md#acknowledgements)\n`;
}

/** The first example of the rule that has both sides. */
function example(rule: string): string {
  const inFiles = Object.entries<FileExample>(FILE_EXAMPLES).find(([name]) => name === rule)?.[1];
  if (inFiles) return `\n## Found in these files\n\n${files(inFiles.bad)}\n## Passes\n\n${files(inFiles.good)}`;
  const inEnv = Object.entries(ENV_EXAMPLES).find(([name]) => name === rule)?.[1];
  if (inEnv) return `\n## Found in this env.py\n\n${python(inEnv.bad)}\n## Passes\n\n${python(inEnv.good)}`;
  const found = EXAMPLES.find((one) => one.rule === rule && one.bad);
  if (!found?.bad) return '';
  return `\n## Found in this revision\n\n${revisions(found.bad)}\n## Passes\n\n${revisions(found.good)}`;
}

function files(all: Files): string {
  return Object.entries(all)
    .map(([file, text]) => `\`${file}\`:\n\n${python(text)}`)
    .join('\n');
}

function python(code: string): string {
  return `\`\`\`python\n${code}\`\`\`\n`;
}

function revisions({ revisions: scripts }: Sample): string {
  return scripts.map((script, at) => `${at > 0 ? 'In the next revision:\n\n' : ''}${python(source(script))}`).join('\n');
}

function source({ message, head, up, down }: Script): string {
  const functions = [body('upgrade', up), ...(down === undefined ? [] : [body('downgrade', down)])].join('\n\n');
  return `${message === undefined ? '' : `"""${message}"""\n\n`}${head === undefined ? '' : `${head}\n\n\n`}${functions}`;
}

function body(name: string, code: string): string {
  const lines = code.split('\n').filter((line) => line.trim() !== '');
  return `def ${name}():\n${lines.map((line) => `    ${line}\n`).join('')}`;
}

/** The page of all rules, by group. */
export function rulesPage(): string {
  const groups = HEADINGS.map(({ group, heading }) => {
    const rows = RULES.filter((rule) => rule.group === group).map(
      ({ id, severity, optional, title }) =>
        `| [${id}](review.md#${id}) | ${severity}${optional ? ', off by default' : ''} | ${title} |`,
    );
    return `## ${heading}\n\n${ruleSection(heading) ?? ''}\n\n| rule | severity | finds |\n| --- | --- | --- |\n${rows.join('\n')}\n`;
  });
  const intro = `# Rules of the review\n\n\`safe-alembic explain <rule>\` prints the same. [How a review works](review.md#how-a-review-works), and
[how to accept a finding](review.md#acknowledgements).\n`;
  return [intro, ...groups, `## squawk\n\n${ruleSection('squawk')}\n`].join('\n');
}

/** The rules for the sidebar. */
export function ruleGroups(): { text: string; collapsed: true; items: { text: string; link: string }[] }[] {
  return HEADINGS.map(({ group, heading }) => ({
    text: heading,
    collapsed: true,
    items: RULES.filter((rule) => rule.group === group).map(({ id }) => ({ text: id, link: `/rules/${id}` })),
  }));
}
