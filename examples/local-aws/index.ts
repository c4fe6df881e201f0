export * from './local-aws';
export type { Postgres } from './postgres';
export type { RunResult } from './run';
export { projectDirectory, type Tool } from './tools';
