import { text } from './worklet/embedded.ts';

/**
 * The text of `lstm-wasm/worklet-processor.js`, for a page that is to be one file: LstmNode.create() takes a URL of it.
 * @example
 * ```js
 * import { processorText } from 'lstm-wasm/worklet-text';
 *
 * const processorUrl = URL.createObjectURL(new Blob([processorText], { type: 'text/javascript' }));
 * console.log(processorUrl.startsWith('blob:')); // true
 * ```
 */
export const processorText: string = text;
