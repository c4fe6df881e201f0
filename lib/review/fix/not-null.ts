import { fillCommand } from '../advice/backfill';
import { notNullSteps } from '../advice/constraints';
import type { SafeForm } from './form';

/** Sets NOT NULL after a CHECK was validated while writes continued. @param mayBeNull whether existing rows may have NULL in it */
export function setNotNull(table: string, column: string, mayBeNull = false): SafeForm {
  const steps = notNullSteps(table, column);
  const warning = [
    `# fails if a row has NULL in ${column}; a revision that fills such rows goes first:`,
    `# ${fillCommand(table, column)}`,
  ];
  return {
    parts: [
      { phase: 'guard', up: [steps.add], down: [steps.drop] },
      { phase: 'validate', up: [...(mayBeNull ? warning : []), steps.validate] },
      { phase: 'require', up: [steps.require, steps.drop], down: [steps.again, steps.allow] },
    ],
    undoneBy: ({ action }) => action.does === 'drop not null' && action.table === table && action.column === column,
  };
}
