/** Ctrl-C, a stop by the system or the CI, and a closed terminal. */
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** Aborts on the first signal. The second signal ends the process at once. */
export function interruptSignal(): { readonly signal: AbortSignal; ignore(): void } {
  const controller = new AbortController();
  const ignore = onInterrupt(() => {
    ignore();
    controller.abort();
  });
  return { signal: controller.signal, ignore };
}

/**
 * Calls back when the command is asked to end.
 *
 * @param interrupt gets whether it is the only listener for the signal
 * @returns a function that stops listening
 */
export function onInterrupt(interrupt: (alone: boolean) => void): () => void {
  const listener = (signal: NodeJS.Signals) => interrupt(process.listenerCount(signal) === 1);
  for (const signal of SIGNALS) process.on(signal, listener);
  return () => {
    for (const signal of SIGNALS) process.off(signal, listener);
  };
}
