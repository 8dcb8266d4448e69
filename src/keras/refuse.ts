import { type Refuse, refuseAs } from '../base/errors.ts';
import type { Refusal } from '../operators/value.ts';

/** The name of this reader in messages. */
export const WHO = 'keras';

/** Refuses a model of Keras. */
export const refuse: Refuse = /* @__PURE__ */ refuseAs(WHO);

/** How operators refuse a node: `keras: layer "conv" (Conv1D): what expected X, got Y`. */
export const kerasRefusal: Refusal = {
  refuse: (code, path, what, expected, found) => refuse(code, path, `${path}: ${what}`, expected, found),
  because: (code, path, reason, expected, found) => refuse.because(code, path, `${path}: ${reason}`, expected, found),
};
