import { type Refuse, refuseAs } from '../base/errors.ts';

/** The name of this reader in messages. */
export const WHO = 'safetensors';

/** Refuses a safetensors file. */
export const refuse: Refuse = /* @__PURE__ */ refuseAs(WHO);
