// For `import`. There is only the CommonJS implementation, so `instanceof` works for `import` and `require` alike.
export * from './index.js';
