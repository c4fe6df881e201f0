export * from './local-aws';
export { neutralEnvironment } from './ministack';
export { type Postgres, startPostgres } from './postgres';
export { type RunResult, run } from './run';
export * from './sample-backend';
export * from './sample-stage';
export { commandDirectory, projectDirectory, type Tool, toolPython } from './tools';
export { withFolder } from './with-folder';
