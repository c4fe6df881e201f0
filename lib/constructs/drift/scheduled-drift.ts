import type * as cloudwatch from 'aws-cdk-lib/aws-cloudwatch';
import type * as events from 'aws-cdk-lib/aws-events';
import type { Construct } from 'constructs';
import { option } from '../../packaging/code-in-messages';
import type { DriftWatcher } from './drift-schedule';
import type { OnDrift } from './on-drift';

/** The properties of both constructs. */
interface DriftProps {
  readonly onDrift?: OnDrift;
  readonly driftSchedule?: events.Schedule;
}

export function driftProblems({ driftSchedule, onDrift }: DriftProps): string[] {
  if (!driftSchedule || onDrift) return [];
  return [
    `${option('driftSchedule')} has nothing to compare with: set ${option('onDrift', { expression: 'OnDrift.WARN' })} too, for example`,
  ];
}

/** Looks for drift on a schedule, if there is one. @returns the alarm that goes off when the function finds drift */
export function scheduledDrift(
  scope: Construct,
  schedule: events.Schedule | undefined,
  watcher: DriftWatcher,
): cloudwatch.Alarm | undefined {
  if (!schedule) return undefined;
  // Most apps have none, and the CDK's EventBridge targets take a while to load.
  const { driftSchedule } = require('./drift-schedule') as typeof import('./drift-schedule');
  return driftSchedule(scope, schedule, watcher);
}
