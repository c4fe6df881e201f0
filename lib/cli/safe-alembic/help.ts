import { EXIT_HELP, OUTPUT_HELP, PROJECT_HELP } from './common';
import { VERB_NAMES, VERBS, type VerbName } from './verbs';

const WIDEST = Math.max(...VERB_NAMES.map((name) => name.length));

/** The text of `--help`. */
export const HELP = `Makes Alembic migrations safe before they reach production.

Usage
  safe-alembic <verb> [options]

Verbs
${VERB_NAMES.map((name) => `  ${name.padEnd(WIDEST)}  ${VERBS[name].summary}`).join('\n')}

${PROJECT_HELP}
${OUTPUT_HELP}

Settings
  the key "cdk-alembic" in package.json, or the file cdk-alembic.json: project, python,
  databaseUrl, environment, baseline, failOn, allowNotReplayed, rules

${EXIT_HELP}

Run safe-alembic <verb> --help for the options of a verb.
`;

/** The text of `--help` with a verb. */
export function helpOf(verb: VerbName): string {
  const { help, standalone } = VERBS[verb];
  return `${help}\n${standalone ? '' : `${PROJECT_HELP}\n`}${OUTPUT_HELP}\n\n${EXIT_HELP}\n`;
}
