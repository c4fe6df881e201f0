import { tooNew } from '../../lib/packaging/platform';
import { temporaryDirectory, writeFiles } from './support';

function installed(...tags: string[]): string {
  const wheel = tags.map((tag) => `Tag: ${tag}\n`).join('');
  return writeFiles(temporaryDirectory(), { 'lib-1.0.dist-info/WHEEL': `Wheel-Version: 1.0\n${wheel}` });
}

test.each([
  [['cp311-cp311-manylinux_2_28_x86_64'], ['lib-1.0']],
  [['cp311-cp311-manylinux_2_24_x86_64', 'cp311-cp311-manylinux_2_28_x86_64'], []],
  [['cp311-cp311-manylinux2014_aarch64'], []],
  [['py3-none-any'], []],
])('on Python 3.11, which has an older Linux, wheels of %j exclude %j', (tags, unfit) => {
  expect(tooNew(installed(...tags), { architecture: 'arm64', pythonVersion: '3.11' })).toEqual(unfit);
  expect(tooNew(installed(...tags), { architecture: 'arm64', pythonVersion: '3.12' })).toEqual([]);
});
