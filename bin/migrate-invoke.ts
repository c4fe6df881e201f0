#!/usr/bin/env node
import { migrateInvoke } from '../lib/cli/migrate-invoke/main';
import { runProcess } from '../lib/cli/process';
import { version } from '../package.json';

// The SDK is bundled: which Node it will require one day matters to its next bundling, not to whoever runs the command.
process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED = 'true';

runProcess(() => migrateInvoke(process.argv.slice(2), version));
