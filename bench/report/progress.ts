import type { Row } from '../row';

/** Shows on a terminal which run is going on. */
export function progress(stream: NodeJS.WriteStream, row: Row): { onRun(done: number, of: number): void; end(): void } {
  const from = Date.now();
  return {
    onRun(done, of) {
      if (stream.isTTY) stream.write(`\r\u001b[K${row.title}: ${done} of ${of}`);
    },
    end() {
      const seconds = ((Date.now() - from) / 1000).toFixed(0);
      stream.write(`${stream.isTTY ? '\r\u001b[K' : ''}measured in ${seconds} s: ${row.title}\n`);
    },
  };
}
