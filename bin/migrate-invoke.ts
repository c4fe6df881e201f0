#!/usr/bin/env node
import { migrateInvoke } from '../lib/cli/migrate-invoke/main';
import { runProcess } from '../lib/cli/process';
import { version } from '../package.json';

// The SDK is bundled, so its warning about future versions of Node is not for the user of the command.
process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED = 'true';

runProcess(() => migrateInvoke(process.argv.slice(2), version));
