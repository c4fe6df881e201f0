/*
 * The handler's timeouts in seconds. Each tier ends before the one around it, so that the inner one can still report what happened:
 * statement < slice call < function < handler < custom resource < CloudFormation's hour.
 */

/**
 * One call of `isComplete` runs for about a slice. The rest of its time is left for the revision that is running when the slice ends.
 * Then the framework calls again.
 */
export const SLICE_SECONDS = 60;

/** For a function that is Pending, Inactive or throttled. A function that was idle for weeks is Active within two minutes. */
export const PLAN_READY_SECONDS = 120;

/** The function has just answered the plan: if it is not ready now, it is throttled, and the next call of `isComplete` waits again. */
export const SLICE_READY_SECONDS = 15;

/** Another run of the function holds the mutex for at most one call, which ends with the function's timeout. */
export const PATIENCE_SECONDS = 15 * 60;

/**
 * After this no more slices start, and the deploy fails with a reason. CloudFormation waits an hour for a custom resource and then
 * fails without a reason. The call that is running at that moment must still end.
 */
export const DEPLOY_SECONDS = 40 * 60;

/** The same while waiting for a container: no long call is running, so the wait can use most of CloudFormation's hour. */
export const CONTAINER_DEPLOY_SECONDS = 55 * 60;

/** For the attributes after a rollback, which are not worth a longer wait. */
export const ROLLBACK_PLAN_SECONDS = 10;
