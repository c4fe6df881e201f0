import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { projectDirectory, toolPython } from '../../examples/local-aws';
import type { Review } from '../../lib/review';
import { createDatabase } from '../test-bed/database';
import { reviewers } from '../test-bed/reviewers';
import { announce, type TestBed } from '../test-bed/test-bed';
import type { Case, Hazard } from './cases';
import { ALEMBIC_GUARD, SAFE_ALEMBIC, SQUAWK } from './hazards';
import { PARENT, REVISION } from './project';

/** A finding of a tool. */
export interface Finding {
  readonly rule: string;
  /** Whether it fails the tool's command with the default configuration. */
  readonly fails: boolean;
}

export interface Tool {
  readonly name: string;
  readonly version: string;
  readonly hazards: Readonly<Record<string, readonly Hazard[]>>;
  /** @param project from `writeCase`. Returns undefined if the tool could not read the case. */
  judge(project: string, given: Case): Promise<readonly Finding[] | undefined>;
}

/** This review first. */
export async function tools(testBed: TestBed): Promise<readonly Tool[]> {
  const python = await toolPython('reviewers', announce);
  return [await safeAlembic(testBed), await squawk(testBed, python), await alembicGuard(testBed, python)];
}

async function safeAlembic(testBed: TestBed): Promise<Tool> {
  const { review } = await reviewers(testBed);
  const { name } = await createDatabase(testBed, 'review_cases');
  const replay = ['--database-url', testBed.postgres.url(name), '--overwrite'];
  return {
    name: 'safe-alembic',
    version: require(path.join(projectDirectory, 'package.json')).version,
    hazards: SAFE_ALEMBIC,
    async judge(project, { downgrade }) {
      const { code, stdout, output } = await testBed.attempt(review(project, REVISION, ...replay));
      if (code > 1) throw new Error(output);
      const { findings } = JSON.parse(stdout) as Review;
      // Without a downgrade in the case, what is found in its empty one does not count.
      const counted = findings.filter(({ rule, direction }) =>
        downgrade === undefined ? direction !== 'downgrade' && !SAFE_ALEMBIC[rule]?.includes('downgrade') : true,
      );
      return counted.map(({ rule, severity }) => ({ rule, fails: severity === 'error' }));
    },
  };
}

/** Reads the SQL that Alembic writes offline, as its users do. */
async function squawk(testBed: TestBed, python: string): Promise<Tool> {
  const { getBinaryPath } = require('squawk-cli/js/index.js') as { getBinaryPath(): string };
  const command = getBinaryPath();
  return {
    name: 'squawk',
    version: (await testBed.run({ command, args: ['--version'] })).stdout.trim().replace('squawk ', ''),
    hazards: SQUAWK,
    async judge(project) {
      const offline = ['-m', 'alembic', 'upgrade', `${PARENT}:${REVISION}`, '--sql'];
      const { code, stdout: sql } = await testBed.attempt({ command: python, args: offline, cwd: project });
      if (code !== 0) return undefined;
      const file = path.join(project, 'case.sql');
      writeFileSync(file, sql);
      const { stdout } = await testBed.attempt({ command, args: ['--reporter', 'json', file] });
      // All its findings are warnings, and each fails the command.
      return (JSON.parse(stdout) as { rule_name: string }[]).map(({ rule_name }) => ({ rule: rule_name, fails: true }));
    },
  };
}

async function alembicGuard(testBed: TestBed, python: string): Promise<Tool> {
  const command = path.join(path.dirname(python), 'alembic-guard');
  return {
    name: 'alembic-guard',
    version: (await testBed.run({ command, args: ['--version'] })).stdout.trim().replace('alembic-guard ', ''),
    hazards: ALEMBIC_GUARD,
    async judge(project) {
      const file = path.join(project, 'migrations/versions/case.py');
      const { stdout } = await testBed.attempt({ command, args: ['--format', 'json', file] });
      const findings = JSON.parse(stdout) as { rule: string; severity: string }[];
      return findings.map(({ rule, severity }) => ({ rule, fails: severity === 'error' }));
    },
  };
}
