import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmodSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { zipOf } from '../../../lib/packaging/zip';
import { temporaryDirectory, writeFiles } from '../../packaging/support';

const FILES = { 'b/größe.txt': 'größe', 'a.py': 'x = 1\n'.repeat(10_000), 'b/empty': '' };

function folder(): string {
  return writeFiles(temporaryDirectory(), FILES);
}

it('holds all files, readable for everybody', () => {
  const zip = join(temporaryDirectory(), 'made.zip');
  writeFileSync(zip, zipOf(folder()));
  const script = `
import hashlib, json, sys, zipfile
made = zipfile.ZipFile(sys.argv[1])
assert made.testzip() is None
print(json.dumps([[one.filename, hashlib.sha256(made.read(one)).hexdigest(), one.date_time[0], oct(one.external_attr >> 16)] for one in made.infolist()]))
`;
  const { stdout, stderr } = spawnSync('python3', ['-c', script, zip], { encoding: 'utf8' });
  expect(stderr).toBe('');
  const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');
  expect(JSON.parse(stdout)).toEqual(
    Object.entries(FILES)
      .sort(([one], [other]) => (one < other ? -1 : 1))
      .map(([name, text]) => [name, sha256(text), 1980, '0o100644']),
  );
});

it('has the same bytes for the same files, whoever wrote them and when', () => {
  const other = folder();
  utimesSync(join(other, 'a.py'), 1, 1);
  chmodSync(join(other, 'a.py'), 0o600);
  expect(Buffer.compare(zipOf(other), zipOf(folder()))).toBe(0);
});
