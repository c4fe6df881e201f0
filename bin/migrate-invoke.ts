#!/usr/bin/env node
import { migrateInvoke } from '../lib/cli/migrate-invoke/main';
import { version } from '../package.json';

// The SDK is bundled: which Node it will want one day is for its next bundling, not for who runs the command.
process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED = 'true';

// A reader of the output that goes away (`| head`) must not end the watching of a run.
for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {});

migrateInvoke(process.argv.slice(2), version).then((code) => {
  process.exitCode = code;
});
