/*
 * Prints what CHANGELOG.md says of a release, and fails if the tag, package.json, the changelog or the repository's address disagree:
 * `tsx scripts/release/notes.ts v0.1.0 OWNER/REPOSITORY`.
 */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { homepage, version } from '../../package.json';

/** @throws Error that names everything that disagrees */
export function releaseNotes(tag: string, repository: string, changelog: string): string {
  const section = changelog.split(/^## /m).find((text) => text.startsWith(`${version} - `));
  const notes = section?.slice(section.indexOf('\n')).trim();
  const problems = [
    ...(tag === `v${version}` ? [] : [`the tag is ${tag}, and package.json has the version ${version}`]),
    ...(homepage.endsWith(`.com/${repository}`)
      ? []
      : [`this repository is ${repository}, and package.json has the homepage ${homepage}`]),
    ...(notes ? [] : [`CHANGELOG.md has nothing under a heading "## ${version} - <year>-<month>-<day>"`]),
  ];
  if (!notes || problems.length > 0) throw new Error(problems.join('\n'));
  return notes;
}

if (require.main === module) {
  const [tag = '', repository = ''] = process.argv.slice(2);
  try {
    console.log(releaseNotes(tag, repository, readFileSync(path.join(__dirname, '../../CHANGELOG.md'), 'utf8')));
  } catch (error) {
    console.error((error as Error).message);
    process.exitCode = 1;
  }
}
