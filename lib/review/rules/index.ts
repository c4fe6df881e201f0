import { BUDGET } from '../sizes/budgets';
import { cascade } from './cascade';
import { otherObjectAccepted } from './compatibility/accepted-objects';
import { accessChanged } from './compatibility/access';
import { columnRefusesValues, ruleRewritesStatements } from './compatibility/changed-statements';
import { onDeleteChanged } from './compatibility/delete-actions';
import { dropInUse } from './compatibility/drop-in-use';
import { constraintDropped } from './compatibility/dropped-constraints';
import { expandAndContractInOne } from './compatibility/expand-and-contract';
import { publishedTableAltered } from './compatibility/publications';
import { rename } from './compatibility/rename';
import { replacedInUse } from './compatibility/replaced-in-use';
import { notNullWithoutDefault, requiredColumn } from './compatibility/required-columns';
import { rowSecurityWithoutPolicy } from './compatibility/row-security';
import { sequenceLimited } from './compatibility/sequence-limits';
import { sequenceOutOfSync } from './compatibility/sequences';
import { uniqueDropped, uniqueOnExistingRows } from './compatibility/unique';
import {
  integerPrimaryKey,
  jsonColumn,
  literalIndex,
  longName,
  timestampWithoutTimeZone,
  unnamedConstraint,
  vagueDescription,
} from './conventions/conventions';
import { frozenDefault } from './conventions/frozen-defaults';
import { detachPartition, dropColumn, dropSchema, dropTable, dropType } from './data-loss/dropped';
import { downgradeLosesData, notNullOnExistingRows } from './data-loss/existing-rows';
import { guardOnlyRules } from './data-loss/loss-rule';
import { deleteAll, deleteByQuery, truncate } from './data-loss/lost-rows';
import { clearColumn, convertColumn } from './data-loss/lost-values';
import { narrowingType } from './data-loss/narrowing-type';
import { unloggedTable } from './data-loss/unlogged';
import { unreadSql } from './data-loss/unread-sql';
import { updateAll } from './data-loss/update-all';
import { writeNotRepeatable } from './data-migrations/autocommit-writes';
import { earlyReturn, importsApplication, offsetBatches, readsOutside, unbatchedLoop } from './data-migrations/python-rows';
import { referencedKeyUpdated } from './data-migrations/referenced-keys';
import { drift, dropDue } from './drift';
import { envKeepsNothing, envOneTransaction, envOuterTransaction, envRefused, versionTableSchemaMissing } from './environment';
import { editedRevision, mergeDoesWork, orphanRevision, runsAtLoad, severalHeads } from './graph';
import {
  checkNotValid,
  constraintBuildsIndex,
  foreignKeyNotValid,
  setNotNullScan,
  validateInSameTransaction,
} from './locking/constraints';
import { foreignKeyTypeMismatch, foreignKeyWithoutIndex } from './locking/foreign-keys';
import { downgradeIndexNotConcurrent, indexNotConcurrent } from './locking/indexes';
import { attachPartitionScan } from './locking/partitions';
import { dropPrimaryKey } from './locking/primary-keys';
import { locksSeveralTables, tableRewrite } from './locking/tables';
import { lockTimeoutMissing } from './locking/timeouts';
import { lockTable, workUnderLock } from './locking/work-under-lock';
import { batchesInTransaction, sleepInTransaction } from './long-transactions';
import { systemCatalogWritten, triggerDisabled, upgradeFails } from './replay';
import { downgradeFails, downgradeMissing, downgradeNotRestoring, dropConstraintNone, reupgradeFails } from './reversibility';
import { copiesTable, downgradeChangesMore } from './rows';
import type { Rule, RuleInfo } from './rule';
import { autovacuumLeftOff, endsSessions, sessionStateLeft, superuserOnly, versionTableWritten } from './session';
import {
  bindCommit,
  concurrentlyInTransaction,
  ddlBeforeAutocommit,
  enumValueInTransaction,
  invalidIndexAccepted,
  otherConnection,
  rawCommit,
} from './transactions';

/** In the order of docs/review.md. */
export const CHECKS: readonly Rule[] = [
  indexNotConcurrent,
  foreignKeyNotValid,
  checkNotValid,
  validateInSameTransaction,
  constraintBuildsIndex,
  setNotNullScan,
  tableRewrite,
  workUnderLock,
  lockTable,
  locksSeveralTables,
  foreignKeyWithoutIndex,
  foreignKeyTypeMismatch,
  dropPrimaryKey,
  attachPartitionScan,
  downgradeIndexNotConcurrent,
  lockTimeoutMissing,
  BUDGET,
  dropTable,
  dropColumn,
  dropSchema,
  dropType,
  truncate,
  cascade,
  deleteAll,
  deleteByQuery,
  detachPartition,
  ...guardOnlyRules,
  clearColumn,
  convertColumn,
  unreadSql,
  updateAll,
  narrowingType,
  notNullOnExistingRows,
  unloggedTable,
  triggerDisabled,
  systemCatalogWritten,
  downgradeLosesData,
  downgradeChangesMore,
  downgradeMissing,
  dropConstraintNone,
  downgradeFails,
  reupgradeFails,
  downgradeNotRestoring,
  rename,
  notNullWithoutDefault,
  requiredColumn,
  columnRefusesValues,
  ruleRewritesStatements,
  dropInUse,
  replacedInUse,
  uniqueOnExistingRows,
  uniqueDropped,
  constraintDropped,
  otherObjectAccepted,
  expandAndContractInOne,
  sequenceOutOfSync,
  sequenceLimited,
  onDeleteChanged,
  rowSecurityWithoutPolicy,
  accessChanged,
  publishedTableAltered,
  endsSessions,
  severalHeads,
  orphanRevision,
  runsAtLoad,
  mergeDoesWork,
  editedRevision,
  upgradeFails,
  concurrentlyInTransaction,
  ddlBeforeAutocommit,
  rawCommit,
  bindCommit,
  otherConnection,
  enumValueInTransaction,
  invalidIndexAccepted,
  sessionStateLeft,
  versionTableWritten,
  superuserOnly,
  batchesInTransaction,
  copiesTable,
  sleepInTransaction,
  envKeepsNothing,
  envOuterTransaction,
  envOneTransaction,
  envRefused,
  versionTableSchemaMissing,
  importsApplication,
  readsOutside,
  unbatchedLoop,
  offsetBatches,
  writeNotRepeatable,
  referencedKeyUpdated,
  earlyReturn,
  autovacuumLeftOff,
  unnamedConstraint,
  longName,
  integerPrimaryKey,
  timestampWithoutTimeZone,
  jsonColumn,
  literalIndex,
  frozenDefault,
  vagueDescription,
  drift,
  dropDue,
];

/** The rule about acknowledging comments, which lib/review/acknowledge.ts checks. */
export const UNUSED_ACKNOWLEDGEMENT: RuleInfo = {
  id: 'unused-acknowledgement',
  group: 'review',
  severity: 'warning',
  title: 'an acknowledgement names a rule that does not exist or finds nothing',
};

/** All rules except squawk's, whose ids are `squawk-<name>`. */
export const RULES: readonly RuleInfo[] = [...CHECKS, UNUSED_ACKNOWLEDGEMENT].map(({ id, group, severity, optional, title }) => ({
  id,
  group,
  severity,
  ...(optional ? { optional } : {}),
  title,
}));
