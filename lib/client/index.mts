// For `import`. The one implementation is the CommonJS one, so that `instanceof` holds whichever way an error's class was loaded.
export * from './index.js';
