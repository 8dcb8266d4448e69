import { describe } from '../base/tensor.ts';
import { WHO } from './messages.ts';

/** The processor files of each context that are loaded, or about to be. */
const loading = new WeakMap<BaseAudioContext, Map<string, Promise<void>>>();

/** Loads a processor file into a context, once. */
export function addProcessor(context: BaseAudioContext, url: string | URL): Promise<void> {
  const files = loading.get(context) ?? new Map<string, Promise<void>>();
  loading.set(context, files);
  const key = String(url);
  const loaded =
    files.get(key) ??
    context.audioWorklet.addModule(key).catch((cause) => {
      files.delete(key);
      const advice = `pass { processorUrl: new URL('lstm-wasm/worklet-processor.js', import.meta.url) }`;
      throw new Error(`${WHO}: no processor could be loaded from ${describe(key)}: ${advice}`, { cause });
    });
  files.set(key, loaded);
  return loaded;
}
