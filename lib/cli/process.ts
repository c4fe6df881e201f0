import { writeSync } from 'node:fs';
import { EXIT } from '../contract/exit-codes';

/** Runs a command as this process: its result is the exit code. */
export function runProcess(command: () => Promise<number>): void {
  let lost: Error | undefined;
  // A reader that goes away, such as `| head`, must not end the command: it watches a run, or has to stop what it started.
  process.stderr.on('error', () => {});
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') lost ??= error;
  });
  process.on('exit', (code) => {
    if (lost === undefined) return;
    if (code === EXIT.done) process.exitCode = EXIT.failed;
    say(`x the result could not be written to stdout: ${lost.message}; the command itself ended with exit code ${code}`);
  });
  command().then(
    (code) => {
      process.exitCode = code;
    },
    // A defect. Without the line of the source that Node would show: the whole program is one.
    (error: Error) => {
      console.error(error.stack);
      process.exitCode = EXIT.failed;
    },
  );
}

/** When a process exits, only what is written at once arrives. */
function say(line: string): void {
  try {
    writeSync(process.stderr.fd, `${line}\n`);
  } catch {
    // There is nowhere left to say it; the exit code does.
  }
}
