import { floats } from './arena.ts';

/** The windows of a convolution over [channels][length]: window w takes steps w stride - left + k dilation, k < size. */
export interface Windows {
  readonly length: number;
  readonly size: number;
  readonly stride: number;
  readonly dilation: number;
  readonly left: number;
}

/**
 * Writes windows `first` to `end` - 1 over channels `from` to `to` - 1 to linear memory as rows, with zeros for steps outside the
 * input.
 * @param place the placeOf() of `data`
 */
export function writeWindows(
  pointer: number,
  data: Float32Array,
  place: number,
  windows: Windows,
  first: number,
  end: number,
  from: number,
  to: number,
): void {
  const { length, size, stride, dilation, left } = windows;
  const memory = floats();
  const source = place < 0 ? data : memory;
  const start = place < 0 ? 0 : place / 4;
  let x = pointer / 4;
  for (let row = first; row < end; row++) {
    for (let c = from; c < to; c++) {
      for (let k = 0, t = row * stride - left; k < size; k++, t += dilation) {
        memory[x++] = t >= 0 && t < length ? source[start + c * length + t]! : 0;
      }
    }
  }
}

/** Copies rows of channels `from` to `to` - 1 to steps `first` to `end` - 1 of `output` [channels][length]. */
export function readChannels(
  pointer: number,
  output: Float32Array,
  length: number,
  first: number,
  end: number,
  from: number,
  to: number,
): void {
  const memory = floats();
  let y = pointer / 4;
  for (let row = first; row < end; row++) {
    for (let c = from; c < to; c++) output[c * length + row] = memory[y++]!;
  }
}
