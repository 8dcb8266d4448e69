// The page's side of the denoiser: an LstmNode with the processor of processor.mjs.
import { LstmNode } from 'lstm-wasm/worklet';

/**
 * Makes a node that denoises speech at the rate of the context.
 * @param {BaseAudioContext} context
 * @param {{ processorUrl: string | URL, models: string, channels?: number }} places `processorUrl`: processor.mjs, bundled; `models`: the
 *   folder of model_1.onnx and model_2.onnx
 */
export async function createDenoiser(context, { processorUrl, models, channels = 1 }) {
  const [one, two] = await Promise.all(['model_1.onnx', 'model_2.onnx'].map((name) => fetchBytes(`${models}/${name}`)));
  return LstmNode.create(context, { one, two }, { processor: 'dtln', processorUrl, channels });
}

async function fetchBytes(url) {
  const response = await fetch(url);
  if (!response.ok) throw new Error(`${url}: ${response.status}`);
  return response.arrayBuffer();
}
