import type { TensorLike } from '../base/tensor.ts';
import type { Field } from './field.ts';
import { countRecurrent, densePlan, recurrentPlan, type StagePlan } from './plans.ts';

/**
 * Plans a NAM model with the architecture LSTM. The list `weights` holds for each layer a matrix [4H][I + H] with the gates in
 * PyTorch's order, where a row has I weights of x, then H of h; the sum of PyTorch's two biases; and the initial h and c. After the
 * last layer come the head's H weights and its bias.
 */
export function planNamLstm(model: Field): StagePlan[] {
  const config = model.get('config');
  const inputSize = config.get('input_size').size();
  const H = config.get('hidden_size').size();
  const numLayers = config.get('num_layers').size();
  for (const channels of ['in_channels', 'out_channels']) if (config.has(channels)) config.get(channels).oneOf([1]);

  const layerCount = (I: number) => 4 * H * (I + H) + 4 * H + 2 * H;
  const count = layerCount(inputSize) + (numLayers - 1) * layerCount(H) + H + 1;
  const list = model.get('weights');
  list.checkLength(count);
  countRecurrent(list, 'lstm', inputSize, H, numLayers);
  const weights = list.vector(count);
  let at = 0;
  const take = (size: number) => {
    at += size;
    return weights.slice(at - size, at);
  };
  const stateDict = new Map<string, TensorLike>();
  const h0 = { data: new Float32Array(numLayers * H), dims: [numLayers, H] };
  const c0 = { data: new Float32Array(numLayers * H), dims: [numLayers, H] };
  for (let layer = 0; layer < numLayers; layer++) {
    const I = layer === 0 ? inputSize : H;
    const joined = take(4 * H * (I + H));
    stateDict.set(`weight_ih_l${layer}`, columns(joined, I + H, 0, I));
    stateDict.set(`weight_hh_l${layer}`, columns(joined, I + H, I, I + H));
    stateDict.set(`bias_ih_l${layer}`, { data: take(4 * H), dims: [4 * H] });
    stateDict.set(`bias_hh_l${layer}`, { data: new Float32Array(4 * H), dims: [4 * H] });
    h0.data.set(take(H), layer * H);
    c0.data.set(take(H), layer * H);
  }
  const head = take(H);
  const bias = take(1);
  const field = config.get('input_size');
  return [recurrentPlan(field, 'lstm', stateDict, [], { h0, c0 }), densePlan(field, head, bias)];
}

/** Copies columns `from` to `to` - 1 of a matrix of `width` columns. */
function columns(matrix: Float32Array, width: number, from: number, to: number): TensorLike {
  const rows = matrix.length / width;
  const data = new Float32Array(rows * (to - from));
  for (let row = 0; row < rows; row++)
    data.set(matrix.subarray(row * width + from, row * width + to), row * (to - from));
  return { data, dims: [rows, to - from] };
}
