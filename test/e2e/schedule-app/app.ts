import { Duration } from 'aws-cdk-lib';
import { Schedule } from 'aws-cdk-lib/aws-events';
import { OnDrift } from '../../../lib';
import { stageOfContext } from '../stage-of-context';

/* A stage whose drift EventBridge looks for each minute. */

stageOfContext('schedule', () => ({ onDrift: OnDrift.WARN, driftSchedule: Schedule.rate(Duration.minutes(1)) }));
