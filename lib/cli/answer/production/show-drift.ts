import { type DriftedObject, type DriftReport, driftCount } from '../../../contract';
import { plainLines } from '../../../text/plain';
import { plain, type Terminal } from '../../screen/terminal';

const SIGNS = { added: '+', removed: '-', changed: '~' };
/** A function's text can be long; --json has all of it. */
const MAX_LINES = 24;

/** Shows each object that was changed by hand, and the DDL that restores it. */
export function showDrift(terminal: Terminal, drift: DriftReport): void {
  const { status, reason, keptAt, objects, objectsLeftOut } = drift;
  if (status === 'unknown') terminal.warning(`drift could not be determined: ${reason}`);
  else
    terminal.line(`${objects.length === 0 ? 'no drift' : `${driftCount(drift)} changed by hand`} since ${plain(keptAt ?? '')}`);
  showDriftedObjects(terminal, objects);
  if (objectsLeftOut) terminal.line(`  and ${objectsLeftOut} more, which do not fit into the function's answer`);
}

export function showDriftedObjects(terminal: Terminal, objects: readonly DriftedObject[]): void {
  for (const { change, object, kept, found, ddl } of objects) {
    terminal.line(`  ${terminal.paint('yellow', SIGNS[change])} ${terminal.paint('bold', plain(object))}  ${change}`);
    for (const [name, text] of [
      ['was', kept],
      ['is', found],
    ] as const) {
      if (text) show(terminal, name, text);
    }
    if (ddl) show(terminal, 'restore', ddl);
  }
}

function show(terminal: Terminal, name: string, text: string): void {
  const lines = plainLines(text);
  for (const [at, line] of lines.slice(0, MAX_LINES).entries()) {
    terminal.line(`      ${terminal.paint('dim', (at === 0 ? name : '').padEnd(7))}  ${line}`);
  }
  if (lines.length > MAX_LINES) terminal.line(`      ${''.padEnd(7)}  and ${lines.length - MAX_LINES} more lines`);
}
