import { writeSync } from 'node:fs';
import { EXIT } from '../contract/exit-codes';

/** Runs a command as this process. Its result is the exit code. */
export function runProcess(command: () => Promise<number>): void {
  let lost: Error | undefined;
  // A reader that exits, such as `| head`, must not end the command: it watches a run, or must stop what it started.
  process.stderr.on('error', () => {});
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') lost ??= error;
  });
  process.on('exit', (code) => {
    if (lost === undefined) return;
    if (code === EXIT.done) process.exitCode = EXIT.failed;
    writeError(`x the result could not be written to stdout: ${lost.message}; the command itself ended with exit code ${code}`);
  });
  command().then(
    (code) => {
      process.exitCode = code;
    },
    // A bug. Printed without Node's source line, because the bundle is one line.
    (error: Error) => {
      console.error(error.stack);
      process.exitCode = EXIT.failed;
    },
  );
}

/** Writes synchronously: other output is lost when the process exits. */
function writeError(line: string): void {
  try {
    writeSync(process.stderr.fd, `${line}\n`);
  } catch {
    // Only the exit code can report the failure now.
  }
}
