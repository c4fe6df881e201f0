import * as rds from 'aws-cdk-lib/aws-rds';
import { MigrationSnapshot } from '../../../lib';
import { stageOfContext } from '../stage-of-context';

/* A stage with snapshots of a cluster that exists already. */

stageOfContext('snapshot', (stack) => ({
  snapshot: MigrationSnapshot.beforeDataLoss({
    keep: 1,
    cluster: rds.DatabaseCluster.fromDatabaseClusterAttributes(stack, 'Cluster', { clusterIdentifier: 'shop' }),
  }),
}));
