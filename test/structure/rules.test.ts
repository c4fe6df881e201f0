import { circles, type Imports } from './graph';
import { arrowsUp, crowdedFolders, strangePackages } from './rules';

/** Each file with what it imports. */
const graph = (files: Readonly<Record<string, readonly string[]>>): Imports => new Map(Object.entries(files));

const rooms = { top: ['top/inner', 'below'], 'top/inner': ['below', 'examples'], below: [] };

test('a cycle of any length is found, and only its files are named', () => {
  const imports = graph({ a: ['b'], b: ['c'], c: ['d'], d: ['b', 'e'], e: [], f: ['f'], g: ['a'] });
  expect(circles(imports)).toEqual([['b', 'c', 'd'], ['f']]);
});

test('an import from a room that the table does not allow is found', () => {
  const down = { 'top/a.ts': ['top/inner/b.ts', 'top/c.ts'], 'top/inner/b.ts': ['below/d.ts', 'examples/e.ts'] };
  expect(arrowsUp(graph(down), rooms)).toEqual([]);
  const up = { 'top/inner/b.ts': ['top/a.ts'], 'below/d.ts': ['top/inner/b.ts', 'examples/e.ts'], 'attic/f.ts': ['below/d.ts'] };
  expect(arrowsUp(graph(up), rooms)).toEqual([
    'top/inner/b.ts → top/a.ts',
    'below/d.ts → top/inner/b.ts',
    'below/d.ts → examples/e.ts',
    'attic/f.ts → below/d.ts',
  ]);
});

test('an import of a package that is reserved to some rooms is found in others', () => {
  const imports = graph({ 'top/a.ts': ['cdk'], 'top/b.ts': ['fs'], 'below/c.ts': ['cdk'] });
  expect(strangePackages(imports, { cdk: ['top'] })).toEqual(['below/c.ts → cdk']);
});

test('a folder with more than 15 files is found, without counting subfolders', () => {
  const files = Array.from({ length: 16 }, (_, index) => [`full/${index}.py`, `full/inner/${index % 15}.py`]).flat();
  expect(crowdedFolders([...new Set(files), 'full/inner/__init__.py'])).toEqual([['full', 16]]);
});
