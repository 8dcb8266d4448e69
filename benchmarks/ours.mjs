import { LSTM } from 'lstm-wasm';
import { Unavailable } from './unavailable.mjs';

/** @type {import('./contestants.mjs').Open} `int8`: whether weights are quantised */
export function open({ I, T, B, L, D, H }, weights, { int8 = false } = {}) {
  const lstm = load(weights, int8);
  const stream = D === 1 ? lstm.stream() : undefined;
  const dims = [T, B, I];
  const states = () => ({ data: new Float32Array(L * D * B * H), dims: [L * D, B, H] });
  const out = {
    output: { data: new Float32Array(T * B * D * H), dims: [T, B, D * H] },
    hn: states(),
    cn: states(),
  };
  return {
    version: '',
    step(frame) {
      const { input } = stream;
      // a call of set costs more than these few stores
      if (I < 32) for (let i = 0; i < I; i++) input[i] = frame[i];
      else input.set(frame);
      stream.step();
      return stream.output;
    },
    forward(data) {
      return lstm.forward({ data, dims }, undefined, { out }).output.data;
    },
  };
}

export function load(weights, int8) {
  const lstm = LSTM.fromStateDict(weights);
  if (!int8) return lstm;
  if (!lstm.quantize) throw new Unavailable('this build has no quantize()');
  return lstm.quantize();
}
