import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { parse } from 'yaml';
import { projectDirectory } from '../../examples/local-aws';
import { homepage, version } from '../../package.json';

/** Owner and name of this repository, which is also the GitHub Action. */
export const REPOSITORY = homepage.split('/').slice(-2).join('/');

/** This version's action, as a workflow names it. */
export const OWN_ACTION = `${REPOSITORY}@v${version}`;

const ci = path.join(projectDirectory, 'examples/ci');

export const githubDirectory = path.join(ci, 'github');
export const gitlabDirectory = path.join(ci, 'gitlab');
export const actionFile = path.join(projectDirectory, 'action.yml');

/** All YAML files of a folder, with their whole paths. */
export function yamlFiles(directory: string): string[] {
  return readdirSync(directory)
    .filter((name) => name.endsWith('.yml'))
    .sort()
    .map((name) => path.join(directory, name));
}

/** A YAML file. The accounts in the examples are nobody's: `account` stands in for them. */
// biome-ignore lint/suspicious/noExplicitAny: a linter has checked the shape of these files
export function readYaml(file: string, account?: string): any {
  const text = readFileSync(file, 'utf8');
  return parse(account ? text.replaceAll(/\b(1{12}|2{12})\b/g, account) : text);
}
