import { walk } from './layout.ts';
import type { ValueData } from './types.ts';

/** Copies elements [i, j, ...] of `dims` from start + i steps[0] + j steps[1] + ... to toStart + i toSteps[0] + ... */
export function copyElements(
  from: ValueData,
  start: number,
  steps: readonly number[],
  to: ValueData,
  toStart: number,
  toSteps: readonly number[],
  dims: readonly number[],
): void {
  const rank = dims.length;
  const inner = rank ? dims[rank - 1]! : 1;
  const step = steps[rank - 1] ?? 0;
  const toStep = toSteps[rank - 1] ?? 0;
  walk(dims.slice(0, -1), [steps, toSteps], (source, target) => {
    let x = start + source;
    let y = toStart + target;
    for (let i = 0; i < inner; i++, x += step, y += toStep) to[y] = from[x]!;
  });
}

/** to[at + k] = from[start + k]. A loop for few elements: making a view for set() costs more. */
export function copyRun(from: ValueData, start: number, count: number, to: ValueData, at: number): void {
  if (count < 8) for (let k = 0; k < count; k++) to[at + k] = from[start + k]!;
  else (to as Float32Array).set(from.subarray(start, start + count) as Float32Array, at);
}
