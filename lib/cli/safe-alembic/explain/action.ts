import { EXIT } from '../../../contract/exit-codes';
import { MigrateError } from '../../../contract/failure';
import { installation } from '../../../local/installation';
import { RULES } from '../../../review';
import { rulePage } from '../../../review/rule-page';
import type { Terminal } from '../../screen/terminal';
import { type ExplainDocument, printDocument } from '../documents';
import type { Started } from '../session';
import type { ExplainArguments } from './arguments';
import { showMarkdown } from './show-markdown';

/** Shows the page of a rule, or lists all rules. */
export async function explain({ screen, common }: Started, { rule }: ExplainArguments): Promise<number> {
  const document = rule === undefined ? listRules(screen.data) : explainRule(screen.data, rule);
  if (common.json) printDocument(document);
  return EXIT.done;
}

function listRules(terminal: Terminal): ExplainDocument {
  const widest = Math.max(...RULES.map(({ id }) => id.length));
  for (const [at, { id, group, title }] of RULES.entries()) {
    if (group !== RULES[at - 1]?.group) terminal.line(`${at > 0 ? '\n' : ''}${terminal.paint('bold', group)}`);
    terminal.line(`  ${id.padEnd(widest)}  ${title}`);
  }
  return { explain: 1, rules: RULES, exitCode: EXIT.done };
}

function explainRule(terminal: Terminal, rule: string): ExplainDocument {
  const page = rulePage(rule);
  if (page === undefined) {
    const all = `${installation().command} explain`;
    throw new MigrateError('invalid_usage', `the review has no rule ${JSON.stringify(rule)}`, `see all rules with \`${all}\``);
  }
  terminal.line(terminal.paint('bold', rule));
  terminal.line();
  showMarkdown(terminal, page);
  const rules = RULES.filter(({ id }) => id === rule);
  return { explain: 1, rules, page, exitCode: EXIT.done };
}
