import type { Imports } from './graph';
import { isBelow, type Rooms, roomOf } from './rooms';

/** A folder of more files can't be taken in at a glance. */
const MOST_FILES = 15;

/** Imports from one room to another that the table does not allow, as `file → file`. */
export function arrowsUp(imports: Imports, rooms: Rooms): string[] {
  return edges(imports).flatMap(([from, to]) => {
    const [own, other] = [roomOf(from, rooms), roomOf(to, rooms)];
    const allowed =
      own !== undefined && (own === other || rooms[own]?.some((room) => room === other || isOutside(to, room, rooms)));
    return allowed ? [] : [`${from} → ${to}`];
  });
}

/** A folder that is in no table, and is named in one as what may be imported. */
function isOutside(file: string, folder: string, rooms: Rooms): boolean {
  return !Object.hasOwn(rooms, folder) && isBelow(file, folder);
}

/** Imports of packages that only some rooms may know. */
export function strangePackages(imports: Imports, packages: Rooms): string[] {
  return edges(imports).flatMap(([from, to]) =>
    packages[to]?.some((room) => isBelow(from, room)) === false ? [`${from} → ${to}`] : [],
  );
}

/** Folders with too many files, and how many they have. */
export function crowdedFolders(files: Iterable<string>): [folder: string, files: number][] {
  const counts = new Map<string, number>();
  for (const file of files) {
    if (file.endsWith('__init__.py')) continue;
    const folder = file.slice(0, file.lastIndexOf('/'));
    counts.set(folder, (counts.get(folder) ?? 0) + 1);
  }
  return [...counts].filter(([, count]) => count > MOST_FILES);
}

function edges(imports: Imports): [from: string, to: string][] {
  return [...imports].flatMap(([from, targets]) => targets.map((to): [string, string] => [from, to]));
}
