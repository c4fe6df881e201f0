/*
 * How long the handler waits for what, in seconds. Each tier ends before the one around it, so that the inner one can still tell
 * what happened: statement < slice call < function < handler < custom resource < CloudFormation's hour.
 */

/**
 * One call of `isComplete` runs for about a slice, and all the rest of its time is left to the revision that is under way when the
 * slice ends. The framework calls again.
 */
export const SLICE_SECONDS = 60;

/** For a function that is Pending, Inactive or throttled. A function that was idle for weeks is Active within a minute or two. */
export const PLAN_READY_SECONDS = 120;

/** The function has just answered the plan: what is not ready now is throttled, and the next call of `isComplete` goes on waiting. */
export const SLICE_READY_SECONDS = 15;

/** A rival holds the mutex for one call at most, and that ends with the function's timeout. */
export const PATIENCE_SECONDS = 15 * 60;

/**
 * After this no further slice is asked for, and the deploy fails with a reason. CloudFormation waits an hour for a custom resource
 * and then tells none; the call that is under way at that moment still has to end.
 */
export const DEPLOY_SECONDS = 40 * 60;

/** The same, while a container is waited for: no call is under way that could take long, and CloudFormation's hour can be used up. */
export const CONTAINER_DEPLOY_SECONDS = 55 * 60;

/** For the attributes of a rollback, which are worth no more than that. */
export const GLANCE_SECONDS = 10;
