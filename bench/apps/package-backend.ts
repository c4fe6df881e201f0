/*
 * package-backend.ts DIRECTORY OUTDIR ARCHITECTURE PYTHON_VERSION
 *
 * What one synth does to package a backend, timed from inside: loading the CDK is not packaging.
 */
import { readdirSync } from 'node:fs';
import path from 'node:path';
import { performance } from 'node:perf_hooks';
import { App, Stack } from 'aws-cdk-lib';
import { MigrationCode } from '../../lib/constructs/code/migration-code';
import type { FunctionPlatform } from '../../lib/packaging/platform';

const [directory = '', outdir = '', architecture, pythonVersion] = process.argv.slice(2);
const platform = { architecture, pythonVersion } as FunctionPlatform;
const stack = new Stack(new App({ outdir }), 'Stack');

const start = performance.now();
const { errors } = MigrationCode.fromProject(directory)._bind(stack, { platform, environment: {} }, true);
const ms = performance.now() - start;

if (errors.length) throw new Error(errors.join('\n'));
const assets = readdirSync(outdir).filter((name) => name.startsWith('asset.'));
if (assets.length !== 1) throw new Error(`expected one packaged backend in ${outdir}, found ${assets.length}`);
console.log(JSON.stringify({ ms, asset: path.join(outdir, assets[0] as string) }));
