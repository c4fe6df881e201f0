import { Annotations } from 'aws-cdk-lib';
import type { IConstruct } from 'constructs';
import { inNoLanguage, inPython, inTypeScript, type Writer, written } from '../../packaging/code-in-messages';

/** The language of the CDK app. For all but TypeScript, jsii starts Node.js and sets this variable, to `Python/3.13.0` for example. */
function language(): Writer {
  const agent = process.env.JSII_AGENT;
  if (!agent) return inTypeScript;
  return agent.startsWith('Python/') ? inPython : inNoLanguage;
}

/** Problems that show only when the app is complete: they fail synth. */
export function addProblems(scope: IConstruct, problems: () => readonly string[]): void {
  scope.node.addValidation({ validate: () => problems().map((problem) => written(problem, language())) });
}

export function addError(scope: IConstruct, text: string): void {
  Annotations.of(scope).addError(written(text, language()));
}

/** @param id of the warning; an app can acknowledge it by this id */
export function addWarning(scope: IConstruct, id: string, text: string): void {
  Annotations.of(scope).addWarningV2(id, written(text, language()));
}
