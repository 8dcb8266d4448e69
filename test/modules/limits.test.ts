import { expect, test } from 'vitest';
import { Linear, LSTM } from '../../src/index.ts';

// The limits that docs/guides/accuracy.md names, with their bounds.

/** c after a step from `c0` with nothing but a bias in the forget gate. */
function nextCell(f: number, c0: number): number {
  const lstm = new LSTM(1, 1);
  const zeros = { data: new Float32Array(4), dims: [4, 1] };
  const bias = { data: Float32Array.of(0, f, 0, 0), dims: [4] };
  lstm.loadStateDict({
    weight_ih_l0: zeros,
    weight_hh_l0: zeros,
    bias_ih_l0: bias,
    bias_hh_l0: { ...bias, data: new Float32Array(4) },
  });
  const stream = lstm.stream();
  const one = (value: number) => ({ data: Float32Array.of(value), dims: [1, 1] });
  stream.setState({ h0: one(0), c0: one(c0) });
  stream.step();
  const { c0: cell } = stream.getState();
  lstm.dispose();
  return cell.data[0]!;
}

test('an infinite c stays so down to a forget gate of -88.376', () => {
  for (const f of [0, -50, -88, -88.37])
    expect(nextCell(f, Number.POSITIVE_INFINITY), `${f}`).toBe(Number.POSITIVE_INFINITY);
  for (const f of [-88.38, -88.7, -100]) expect(nextCell(f, Number.POSITIVE_INFINITY), `${f}`).toBeNaN();
  // finite states are what they are with a sigmoid of 0
  expect(nextCell(-88.38, 3e38)).toBe(0);
});

test('a cell state below 7.7e-34 counts as 0', () => {
  expect(nextCell(30, 7.8e-34)).toBe(Math.fround(7.8e-34));
  expect(nextCell(30, 7.6e-34)).toBe(0);
});

test('8 bits: the largest weight of a row times the largest activation is at most 3.5e44', () => {
  const quantized = (weight: number[], input: number[]) => {
    const linear = Linear.fromStateDict({ weight: { data: Float32Array.from(weight), dims: [1, 2] } });
    return linear.quantize().forward({ data: Float32Array.from(input), dims: [2] }).data[0]!;
  };
  expect(quantized([1e30, 1], [1e-8, 3e14])).toBe(0);
  expect(quantized([1e30, 1], [1e-8, 4e14])).toBeNaN();
  expect(quantized([1e30, 1], [1e-8, 1e37])).toBeNaN();
  expect(quantized([1, 1], [6e-35, 0])).toBe(0);
  // one step of 1e-30 / 8191
  expect(1e34 * quantized([1, 1], [1.2e-34, 0])).toBeCloseTo(1.2209, 3);
});
