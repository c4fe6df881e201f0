#!/usr/bin/env node
import { safeAlembic } from '../lib/cli/safe-alembic/main';
import { version } from '../package.json';

// A reader of the output that goes away (`| head`) must not leave a server behind.
for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {});

safeAlembic(process.argv.slice(2), version).then(
  (code) => {
    process.exitCode = code;
  },
  // A defect. Without the line of the source that Node would show: the whole program is one.
  (error: Error) => {
    console.error(error.stack);
    process.exitCode = 1;
  },
);
