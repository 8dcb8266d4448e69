import { Unavailable } from '../unavailable.mjs';

let loading;

/**
 * LiteRT.js: XNNPACK in WebAssembly, one thread. It loads itself by a script element, so it runs in pages only.
 * @param {import('../models/list.mjs').Part} part
 * @param {{ eightBit: boolean, assets: string }} options
 * @returns {Promise<import('../models/contestants.mjs').Opened>}
 */
export async function open(part, { eightBit, assets }) {
  const file = eightBit ? part.tflite8 : part.tflite;
  if (!file) throw new Unavailable('there is no .tflite file of it');
  const { loadLiteRt, loadAndCompile, Tensor } = await import('@litertjs/core');
  const { version } = await import('@litertjs/core/package.json');
  loading ??= loadLiteRt(`${assets}@litertjs/core/wasm/`);
  await loading;
  const model = await loadAndCompile(await file(), { accelerator: 'wasm' });
  const [[state, { dims }]] = Object.entries(part.states);
  const place = (tensors, isState) => tensors.findIndex(({ shape }) => (shape.length === dims.length) === isState);
  const [output, stateN] = [false, true].map((isState) => place(model.getOutputDetails(), isState));
  const { name } = part.input;
  const zeros = new Float32Array(dims.reduce((product, size) => product * size));
  const feeds = { [state]: new Tensor(zeros, dims) };
  return {
    version,
    async step(x) {
      feeds[name] = new Tensor(x, part.input.dims);
      const results = await model.run(
        model.getInputDetails().map((input) => feeds[input.name.replace(/^.*?(input_\d).*$/, '$1')]),
      );
      feeds[name].delete();
      feeds[state].delete();
      feeds[state] = results[stateN];
      const data = results[output].toTypedArray();
      results[output].delete();
      return [data];
    },
  };
}
