// RTNeural's test of deep LSTMs: a PyTorch module's state dict, written as JSON with nested arrays.
import { Linear, LSTM } from 'lstm-wasm';

/** @returns {{ lstm: LSTM, lstm2: LSTM, dense: Linear }} */
export function loadTorchJson(json) {
  const stateDict = Object.fromEntries(Object.entries(json).map(([name, nested]) => [name, tensor(nested)]));
  const lstm = LSTM.fromStateDict(stateDict, { prefix: 'lstm.' });
  const lstm2 = LSTM.fromStateDict(stateDict, { prefix: 'lstm2.' });
  const dense = new Linear(lstm2.hiddenSize, stateDict['dense.bias'].dims[0]);
  dense.loadStateDict(stateDict, 'dense.');
  return { lstm, lstm2, dense };
}

function tensor(nested) {
  const dims = [];
  for (let level = nested; Array.isArray(level); level = level[0]) dims.push(level.length);
  return { data: Float32Array.from(nested.flat(Number.POSITIVE_INFINITY)), dims };
}

/**
 * @param {ReturnType<typeof loadTorchJson>} model
 * @param {Float32Array} samples
 * @returns {Float32Array} one number a sample
 */
export function runTorchJson({ lstm, lstm2, dense }, samples) {
  const first = lstm.forward({ data: samples, dims: [samples.length, 1] });
  const second = lstm2.forward(first.output);
  return dense.forward(second.output).data;
}
