export * from './catalog';
export * from './graph';
export * from './measure';
export * from './protocol';
export * from './replay';
export * from './rewrite';
export * from './source';
