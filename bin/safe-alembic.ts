#!/usr/bin/env node
import { runProcess } from '../lib/cli/process';
import { safeAlembic } from '../lib/cli/safe-alembic/main';
import { version } from '../package.json';

runProcess(() => safeAlembic(process.argv.slice(2), version));
