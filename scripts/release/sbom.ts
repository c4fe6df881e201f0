import { readFileSync } from 'node:fs';
import path from 'node:path';
import type { Metafile } from 'esbuild';

/** https://cyclonedx.org/docs/1.5/json/ */
export interface Sbom {
  readonly bomFormat: 'CycloneDX';
  readonly specVersion: '1.5';
  readonly version: 1;
  readonly metadata: { readonly component: Component };
  readonly components: readonly Component[];
}

export interface Component {
  readonly type: 'library';
  readonly 'bom-ref': string;
  readonly name: string;
  readonly version: string;
  readonly purl: string;
  readonly licenses?: readonly { readonly expression: string }[];
}

/** The bill of materials of a package: what is in it, and what is installed with it. */
export function sbom(component: Component, components: readonly Component[]): Sbom {
  const distinct = [...new Map(components.map((one) => [one.purl, one])).values()];
  const sorted = distinct.sort((a, b) => a.purl.localeCompare(b.purl));
  return { bomFormat: 'CycloneDX', specVersion: '1.5', version: 1, metadata: { component }, components: sorted };
}

/** The npm packages whose code esbuild has put into a bundle. */
export function bundled({ inputs }: Metafile, root: string): Component[] {
  const folders = Object.keys(inputs).flatMap((file) => /^.*node_modules\/(?:@[^/]+\/)?[^/]+/.exec(file)?.[0] ?? []);
  return [...new Set(folders)].map((folder) => npmComponent(path.join(root, folder, 'package.json')));
}

/** An npm package that is installed in this project. */
export function installed(name: string, root: string): Component {
  return npmComponent(path.join(root, 'node_modules', name, 'package.json'));
}

function npmComponent(manifest: string): Component {
  const { name, version, license } = JSON.parse(readFileSync(manifest, 'utf8'));
  return component('npm', name, version, license);
}

/** @param license an SPDX expression */
export function component(registry: 'npm' | 'pypi', name: string, version: string, license?: string): Component {
  const purl = `pkg:${registry}/${name.replace(/^@/, '%40')}@${version}`;
  return { type: 'library', 'bom-ref': purl, name, version, purl, ...(license && { licenses: [{ expression: license }] }) };
}
