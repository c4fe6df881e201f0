/* Run by supervisor.test.ts: holds a folder and a command with a child of its own, and tells their ids. */
import { run } from '../../../lib/local/processes/run';
import { withFolder } from '../../../lib/local/processes/with-folder';

withFolder(async (folder) => {
  console.log(folder);
  const script = 'sleep 300 & echo $$ $!; wait';
  await run('sh', ['-c', script], { env: process.env, folder, onLine: console.log });
  console.log('ended');
});
