import { type Refuse, refuseAs } from '../base/errors.ts';

/** The name of this reader in messages. */
export const WHO = 'keras';

/** Refuses a model of Keras. */
export const refuse: Refuse = /* @__PURE__ */ refuseAs(WHO);
