/* Run by leash.test.ts: holds a folder and a command with a child of its own, and tells their ids. */
import { run, withFolder } from '../../examples/local-aws';

withFolder(async (folder) => {
  console.log(folder);
  const script = 'sleep 300 & echo $$ $!; wait';
  await run('sh', ['-c', script], { env: process.env, folder, onLine: console.log });
  console.log('ended');
});
