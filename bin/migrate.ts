#!/usr/bin/env node
import { migrate } from '../lib/cli/migrate';
import { version } from '../package.json';

// A reader of the output that goes away (`| head`) must not leave a server behind.
for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {});

migrate(process.argv.slice(2), version).then((code) => {
  process.exitCode = code;
});
