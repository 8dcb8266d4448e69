import { formatDims } from '../base/tensor.ts';
import { Value } from '../graph/value.ts';
import type { OperatorNode } from './node.ts';
import { checkBytes } from './quantize.ts';

/** A node's weights [D][rows][K] as floats, and the scale of each row if all are 8-bit integers times it. */
function dequantized(
  node: OperatorNode,
  what: string,
  value: Value | undefined,
  scale: Value | undefined,
  zero: Value | undefined,
): { readonly floats: Value<Float32Array>; readonly scales: Value<Float32Array> | undefined } {
  if (!value || !scale) return node.missing(`constant ${what} with a constant scale`);
  checkBytes(node, what, value, zero);
  if (value.dims.length !== 3) node.wrongShape(what, '[directions, input size, 4 * hidden_size]', value.dims);
  const [D, K, rows] = value.dims as [number, number, number];
  const given = node.float32(`scale of ${what}`, scale);
  for (const { count, dims } of [scale, zero ?? scale]) {
    if (count !== D && count !== D * rows) {
      node.wrongShape(`scale and zero point of ${what}`, `${formatDims([D])} or ${formatDims([D, rows])}`, dims);
    }
  }
  const floats = new Float32Array(value.count);
  const scales = new Float32Array(D * rows);
  let fits = true;
  for (let d = 0, row = 0, at = 0; d < D; d++) {
    for (let n = 0; n < rows; n++, row++) {
      const none = Number(zero?.data[zero.count === D ? d : row] ?? 0);
      const unit = given.data[scale.count === D ? d : row]!;
      scales[row] = unit;
      for (let k = 0; k < K; k++) {
        const q = Number(value.data[(d * K + k) * rows + n]) - none;
        if (q !== (q << 24) >> 24) fits = false;
        floats[at++] = q * unit;
      }
    }
  }
  return {
    floats: Value.of('float32', [D, rows, K], floats),
    scales: fits ? Value.of('float32', [D, rows], scales) : undefined,
  };
}

/** The inputs of DynamicQuantizeLSTM as LSTM has them; the inputs 8 and 9 are the scales of W and R if they stay 8-bit integers. */
export function dequantizeInputs(node: OperatorNode, inputs: readonly (Value | undefined)[]): (Value | undefined)[] {
  const [x, w, r, b, lengths, h0, c0, p, wScale, wZero, rScale, rZero] = inputs;
  const [ih, hh] = [dequantized(node, 'W', w, wScale, wZero), dequantized(node, 'R', r, rScale, rZero)];
  const kept = ih.scales && hh.scales ? [ih.scales, hh.scales] : [];
  return [x, ih.floats, hh.floats, b, lengths, h0, c0, p, ...kept];
}
