import { createRequire } from 'node:module';
import { suffixOf } from '../shapes.mjs';
import { Unavailable } from '../unavailable.mjs';

const require = createRequire(import.meta.url);

/** Its matrices' names, for PyTorch's gates i, f, g, o. */
const GATES = ['input', 'forget', 'cellActivation', 'output'];

/**
 * brain.js's LSTMTimeStep. It cannot go on from a state, so that a stream is a run over all its steps; it has one output
 * product of its own (to one number here) and no cell state: its forget gate acts on h.
 * @type {import('../contestants.mjs').Open}
 */
export async function open({ stream, I, H, L, D, T, B }, weights) {
  if (D > 1 || B > 1) throw new Unavailable('brain.js has neither batches nor a second direction');
  const { recurrent } = require('brain.js');
  const { version } = require('brain.js/package.json');
  const net = new recurrent.LSTMTimeStep({ inputSize: I, hiddenLayers: Array(L).fill(H), outputSize: 1 });
  net.initialize();
  // what train() would do: a net without one counts as untrained
  net.bindEquation();
  net.model.hiddenLayers.forEach((matrices, layer) => {
    const suffix = suffixOf(layer, 0);
    const [ih, hh, inputBias, recurrentBias] = ['weight_ih', 'weight_hh', 'bias_ih', 'bias_hh'].map(
      (name) => weights.get(name + suffix).data,
    );
    const bias = inputBias.map((value, i) => value + recurrentBias[i]);
    GATES.forEach((gate, g) => {
      const block = (data) => data.subarray((g * data.length) / 4, ((g + 1) * data.length) / 4);
      matrices[`${gate}Matrix`].weights.set(block(ih));
      matrices[`${gate}Hidden`].weights.set(block(hh));
      matrices[`${gate}Bias`].weights.set(block(bias));
    });
  });
  let frames;
  return {
    version,
    stepsPerCall: stream ? T : undefined,
    forward(input) {
      frames ??= Array.from({ length: T }, (_, t) => (I === 1 ? input[t] : input.subarray(t * I, (t + 1) * I)));
      net.run(frames);
      const output = new Float32Array(T * H);
      for (let t = 0; t < T; t++) output.set(net.model.equationConnections[t][L - 1].weights, t * H);
      return output;
    },
  };
}
