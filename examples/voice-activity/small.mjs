import { Linear, LSTM } from 'lstm-wasm';

/**
 * Layers with weights of 16 bits. With 8 bits in all of them, segments would begin or end a frame earlier or later here and there.
 */
const FINE = ['encoder.0.', 'encoder.2.'];
const COARSE = ['encoder.1.', 'encoder.3.'];
const LARGEST = 32_767;

/** @typedef {Map<string, import('lstm-wasm').AnyTensor>} StateDict */

/**
 * The weights of VoiceNetwork in a quarter of the bytes, for serializeSafetensors(): 8-bit ones of the LSTM and of two
 * convolutions, as quantize() makes them, and integers of 16 bits with a scale a row in the two others.
 * @param {StateDict} weights
 * @returns {StateDict}
 */
export function shrink(weights) {
  const small = new Map(weights);
  for (const prefix of FINE) {
    const { data, scales, dims } = toIntegers(weights.get(`${prefix}weight`));
    small.set(`${prefix}weight`, { data, dims });
    small.set(`${prefix}weight_scale`, { data: scales, dims: [scales.length] });
  }
  const replace = (module, prefix) => {
    for (const [key, tensor] of module.quantizedStateDict(prefix)) small.set(key, tensor);
    module.dispose();
  };
  for (const prefix of COARSE) replace(Linear.fromStateDict(weights, { prefix }), prefix);
  replace(LSTM.fromStateDict(weights, { prefix: 'lstm.' }), 'lstm.');
  return small;
}

/** What VoiceNetwork takes, from what shrink() gave. @param {ReadonlyMap<string, import('lstm-wasm').AnyTensor>} small @returns {StateDict} */
export function expand(small) {
  const weights = new Map(small);
  for (const prefix of FINE) {
    const scales = weights.get(`${prefix}weight_scale`)?.data;
    const tensor = weights.get(`${prefix}weight`);
    if (!scales || !(tensor?.data instanceof Int16Array)) continue;
    const columns = tensor.dims[1];
    const data = Float32Array.from(tensor.data, (value, i) => value * scales[Math.floor(i / columns)]);
    weights.set(`${prefix}weight`, { data, dims: tensor.dims });
    weights.delete(`${prefix}weight_scale`);
  }
  return weights;
}

function toIntegers({ data, dims: [rows, columns] }) {
  const scales = new Float32Array(rows);
  const integers = new Int16Array(data.length);
  for (let row = 0; row < rows; row++) {
    const own = data.subarray(row * columns, (row + 1) * columns);
    const scale = own.reduce((peak, value) => Math.max(peak, Math.abs(value)), 0) / LARGEST;
    scales[row] = scale;
    if (scale > 0) for (const [i, value] of own.entries()) integers[row * columns + i] = Math.round(value / scale);
  }
  return { data: integers, scales, dims: [rows, columns] };
}
