export { ModelError, type ModelErrorDetails } from './base/errors.ts';
export type { AnyTensor, AnyTypedArray, StateDict } from './base/tensor.ts';
export type { FromProcessor, Load, SentError, SentModel, ToProcessor } from './worklet/messages.ts';
export { LstmNode, type LstmNodeEventMap, type LstmNodePort } from './worklet/node.ts';
export type { LstmNodeLoadOptions, LstmNodeOptions } from './worklet/node-options.ts';
export type { LstmNodeModel } from './worklet/read-model.ts';
