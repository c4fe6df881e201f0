export { mustRun, type RunResult, run } from '../../lib/local/processes/run';
export { withFolder } from '../../lib/local/processes/with-folder';
export * from './local-aws';
export { neutralEnvironment } from './ministack';
export { type Postgres, startPostgres } from './postgres';
export * from './sample-backend';
export * from './sample-stage';
export { commandDirectory, type Manager, projectDirectory, type Tool, toolPython } from './tools';
