export * from './answer';
export * from './failure';
export * from './function';
export * from './names';
export * from './on-deploy';
export * from './request';
export * from './settings';
