import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { withFolder } from '../../examples/local-aws';
import { TestBed } from '../test-bed/test-bed';
import { writeCase } from './project';
import { judged } from './score';
import { tools } from './tools';
import { readCases } from './cases';

const FOLDER = process.argv[2] ?? '/tmp/variants';
const only = process.argv[3];
const all: any[] = [];
if (FOLDER === 'cases') all.push(...readCases().filter(({ name, hazard }) => new RegExp(only ?? '.').test(`${hazard} ${name}`)));
else for (const file of readdirSync(FOLDER).filter((f) => f.endsWith('.md'))) {
  const hazard = file.slice(0, -3);
  const [, ...sections] = readFileSync(path.join(FOLDER, file), 'utf8').split(/^### /m);
  for (const section of sections) {
    const blocks = new Map([...section.matchAll(/^```python ?(\w*)\n(.*?)\n```$/gms)].map(([, name, code]) => [name, code]));
    const name = section.split('\n')[0] ?? '';
    if (!only || new RegExp(only).test(name)) all.push({ name, hazard, reason: '', upgrade: blocks.get(''), downgrade: blocks.get('downgrade') });
  }
}
withFolder(async (folder) => {
  const testBed = await TestBed.open(folder);
  const [ours] = await tools(testBed);
  const score: Record<string, number[]> = {};
  for (const one of all) {
    const project = testBed.newPath('case');
    writeCase(project, one);
    let j; try { j = judged(one, await ours!.judge(project, one), ours!.hazards); } catch (e) { console.log("ERR", one.name, String(e).slice(0, 3000)); continue; }
    const s = (score[one.hazard] ??= [0, 0, 0]);
    s[0]! += j.strict ? 1 : 0; s[1]! += j.loose ? 1 : 0; s[2]! += 1;
    if (!j.strict || process.argv[4]) console.log(j.strict ? 'ok' : 'MISS', one.hazard, one.name, j.rules.join(','));
  }
  console.log(score);
}).catch((e) => { console.error(e); process.exitCode = 1; });
