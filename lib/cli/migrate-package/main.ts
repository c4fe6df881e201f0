import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { EXIT } from '../../contract/exit-codes';
import { written } from '../../packaging/code-in-messages';
import { noDirectory, type PackagingCode, PackagingError, pageOf } from '../../packaging/errors';
import { foundWith, manifestWarnings } from '../../packaging/layout/manifest';
import { backendPackage } from '../../packaging/project/known-project';
import { zipOf } from '../../packaging/zip';
import { annotation } from '../../text/workflow-command';
import { printJson, type Screen, screen } from '../screen/screen';
import { plain } from '../screen/terminal';
import { type Arguments, parseArguments } from './arguments';
import type { MigratePackageDocument } from './document';
import { functionOf } from './function';
import { HELP } from './help';
import { onCommandLine } from './options-in-messages';

/**
 * The command `migrate-package`.
 *
 * @param argv the command line without the program's own name
 * @param version of the package
 * @returns the exit code
 */
export function migratePackage(argv: readonly string[], version: string): number {
  const parsed = parseArguments(argv);
  if (parsed.kind === 'help') {
    process.stdout.write(HELP);
    return EXIT.done;
  }
  if (parsed.kind === 'version') {
    process.stdout.write(`${version}\n`);
    return EXIT.done;
  }
  const view = screen({ json: true, progress: false });
  if (parsed.kind === 'problems') {
    for (const problem of parsed.problems) showError(view, problem);
    view.notes.next('see migrate-package --help');
    return EXIT.usage;
  }
  try {
    return write(parsed, view);
  } catch (error) {
    if (!(error instanceof PackagingError)) throw error;
    showPackagingErrors(view, [error]);
    return EXIT.failed;
  }
}

function write({ directory, output, platform, options }: Arguments, view: Screen): number {
  if (!statSync(directory, { throwIfNoEntry: false })?.isDirectory()) {
    showPackagingErrors(view, [noDirectory(directory)]);
    return EXIT.failed;
  }
  const checked = backendPackage(directory, options, platform, true);
  if (checked.errors.length) {
    showPackagingErrors(view, checked.errors);
    return EXIT.failed;
  }
  const built = checked.package();
  const target = mkdtempSync(path.join(tmpdir(), 'cdk-alembic-'));
  try {
    built.build(target);
    const zip = zipOf(target);
    mkdirSync(path.dirname(output), { recursive: true });
    writeFileSync(output, zip);
    const found = [...checked.warnings, ...built.warnings, ...manifestWarnings(target), ...built.prove(target)];
    const warnings = found.map((warning) => written(warning, onCommandLine));
    for (const warning of warnings) view.notes.warning(warning);
    const sha256 = createHash('sha256').update(zip).digest('base64');
    const document: MigratePackageDocument = {
      package: output,
      sha256,
      bytes: zip.length,
      found: checked.found && foundWith(checked.found, target),
      warnings,
      function: functionOf(platform, options.databaseVariables),
    };
    printJson(document);
    return EXIT.done;
  } finally {
    rmSync(target, { recursive: true, force: true });
  }
}

function showPackagingErrors(view: Screen, errors: readonly PackagingError[]): void {
  for (const { code, text } of errors) showError(view, `${text} (${pageOf(code)})`, code);
}

function showError({ notes }: Screen, text: string, code?: PackagingCode): void {
  const message = plain(written(text, onCommandLine));
  notes.line(`${notes.paint('red', '✗')} ${code ? `${notes.paint('bold', code)}: ` : ''}${message}`);
  if (process.env.GITHUB_ACTIONS === 'true') {
    notes.line(annotation({ level: 'error', title: code ?? 'migrate-package', message }));
  }
}
