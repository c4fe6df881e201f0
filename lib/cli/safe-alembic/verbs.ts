import { apply } from './apply/verb';
import { create } from './create/verb';
import { current } from './current/verb';
import { explain } from './explain/verb';
import { history } from './history/verb';
import { review } from './review/verb';
import type { Verb } from './verb';
import { verify } from './verify/verb';

/** In the usual order of use. */
export const VERBS = { create, review, apply, verify, current, history, explain } as const satisfies Record<string, Verb>;
export type VerbName = keyof typeof VERBS;

export const VERB_NAMES = Object.keys(VERBS) as VerbName[];
