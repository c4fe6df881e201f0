import type { RevisionInfo } from '../../contract';
import { cut, displayWidth } from './display-width';
import { plain } from './terminal';

/** The progress of a run. */
export interface ProgressState {
  readonly done: number;
  /** Undefined: unknown, as with a downgrade. */
  readonly total?: number;
  /** The revision that is being applied. */
  readonly running?: RevisionInfo;
  /** Whether a call applies several revisions, so it may already be at a later one. */
  readonly orLater: boolean;
  /** Time since the running revision started. */
  readonly elapsedMs: number;
  /** What its statement is doing, if it is slow. */
  readonly now?: string;
}

const NARROWEST_BAR = 6;
const WIDEST_BAR = 24;

/** A progress bar with the running revision's name and time, in at most `width` columns. */
export function progressLine({ done, total, elapsedMs, now, ...state }: ProgressState, width: number): string {
  const start = total === undefined ? `  ${done} done  ` : `  ${bar(done / total, width)} ${done}/${total} `;
  const end = ` ${elapsed(elapsedMs)}`;
  const text = [runningName(state), now].filter(Boolean).join('  ');
  const name = cut(text, width - displayWidth(start) - end.length);
  return cut(`${start}${name}${end}`, width);
}

/** The running revision in words. */
export function runningName({ running, orLater }: Pick<ProgressState, 'running' | 'orLater'>): string {
  if (!running) return '';
  return `${plain(running.revision)}${orLater ? ' or later' : ''}  ${plain(running.message)}`;
}

/** Whole seconds, so a frequently redrawn line does not flicker. */
export function elapsed(ms: number): string {
  const seconds = Math.floor(ms / 1000);
  return seconds < 60 ? `${seconds} s` : `${Math.floor(seconds / 60)} min ${String(seconds % 60).padStart(2, '0')} s`;
}

/** A bar filled to the fraction `part`, for a terminal of `width` columns. */
export function bar(part: number, width: number): string {
  const cells = Math.max(NARROWEST_BAR, Math.min(WIDEST_BAR, Math.floor(width / 5)));
  const full = Math.floor(part * cells);
  return '█'.repeat(full) + '░'.repeat(cells - full);
}
