#!/usr/bin/env node
import { migratePackage } from '../lib/cli/migrate-package/main';
import { runProcess } from '../lib/cli/process';
import { version } from '../package.json';

runProcess(async () => migratePackage(process.argv.slice(2), version));
