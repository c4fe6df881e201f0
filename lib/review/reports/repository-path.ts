import { posix } from 'node:path';

/** A file of the project, from the root of the repository, where GitHub and GitLab look for it. */
export function repositoryPath(folder: string, file: string): string {
  return posix.join(folder, file);
}
