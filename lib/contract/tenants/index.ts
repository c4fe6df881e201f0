/*
 * A run over many tenants: names and wire shapes between the construct, the state machine, the coordinator (lambda/tenants), the worker
 * (the Python runner) and the command.
 */
export * from './answer';
export * from './names';
export * from './request';
export * from './run';
