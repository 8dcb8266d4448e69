import { product, type TensorLike } from '../base/tensor.ts';
import type { Value } from '../graph/value.ts';
import type { LayerTrace } from '../nn/trace.ts';
import type { Lower } from '../operators/node.ts';
import type { KerasGraph, Tensor } from './graph.ts';

// Masked steps: a layer runs the other steps of each sample as a shorter sequence, and the outputs go back to their places. A mask is
// data, and may have any pattern.

/** Lists the steps of a sample that are not masked. */
function stepsOf(mask: Uint8Array, sample: number, T: number, steps: number[]): number {
  let count = 0;
  for (let t = 0; t < T; t++) if (mask[sample * T + t]) steps[count++] = t;
  return count;
}

/** Moves the steps of (B, T, I) that are not masked to the front; gives them, and the int32 length of each sample. */
export function compact(path: string): Lower {
  return ([x, mask], plan) => {
    const [B, T, I] = x!.dims as [number, number, number];
    const out = plan.make('float32', x!.dims, path);
    const lengths = plan.make('int32', [B], path);
    const steps: number[] = [];
    plan.step([x, mask, out, lengths], () => () => {
      const [from, to] = [x!.data as Float32Array, out.data];
      const kept = mask!.data as Uint8Array;
      to.fill(0);
      for (let b = 0; b < B; b++) {
        const count = stepsOf(kept, b, T, steps);
        lengths.data[b] = count;
        for (let k = 0; k < count; k++) copyRow(from, (b * T + steps[k]!) * I, to, (b * T + k) * I, I);
      }
    });
    return [out, lengths];
  };
}

/** The sizes that expand() depends on besides its inputs. */
interface Expansion {
  /** Whether outputs at masked steps are zeros; else they repeat the output of the step before. */
  readonly zeroMasked: boolean;
  /** Whether masked steps at the beginning give the initial state; else they give zeros. */
  readonly startsWithState: boolean;
  /** Whether all outputs are given; else that of the last step of each direction. */
  readonly sequences: boolean;
}

/**
 * Gives outputs and states of sequences that compact() has shortened. Inputs: y (B, T, D, H), the mask, and for each state
 * the last one (B, D, H) and the initial one, if there is one; h comes first.
 * @returns all outputs (B, T, D, H) or the last ones (B, D, H), then the states
 */
export function expand(path: string, { zeroMasked, startsWithState, sequences }: Expansion): Lower {
  return (inputs, plan) => {
    const [y, mask, h, h0, c, c0] = inputs as (Value<Float32Array> | undefined)[];
    const pairs = c ? [[h, h0] as const, [c, c0] as const] : [[h, h0] as const];
    const [B, T, D, H] = y!.dims as [number, number, number, number];
    const out = plan.make('float32', sequences ? y!.dims : h!.dims, path);
    const states = pairs.map(([state]) => plan.make('float32', state!.dims, path));
    const steps: number[] = [];
    /** Fills the outputs of a direction of a sample. */
    const fill = (b: number, d: number, count: number, kept: Value['data']): void => {
      const [from, to] = [y!.data, out.data];
      const start = startsWithState && h0 ? h0.data : undefined;
      // the place of the last output that was not masked; -1 before
      let last = -1;
      for (let i = 0, k = 0; i < T; i++) {
        const t = d ? T - 1 - i : i;
        const isMasked = !kept[b * T + t];
        if (!isMasked) last = ((b * T + (d ? count - 1 - k++ : k++)) * D + d) * H;
        if (!sequences && i < T - 1) continue;
        const at = sequences ? ((b * T + t) * D + d) * H : (b * D + d) * H;
        if (isMasked && zeroMasked) to.fill(0, at, at + H);
        else if (last >= 0) copyRow(from, last, to, at, H);
        else if (start) copyRow(start, (b * D + d) * H, to, at, H);
        else to.fill(0, at, at + H);
      }
    };
    plan.step([...inputs, out, ...states], () => () => {
      const kept = mask!.data;
      for (let b = 0; b < B; b++) {
        const count = stepsOf(kept as unknown as Uint8Array, b, T, steps);
        for (let d = 0; d < D; d++) fill(b, d, count, kept);
        for (const [i, state] of states.entries()) {
          // a sample without any step keeps its state
          const [last, first] = pairs[i]!;
          const given = count ? last : first;
          const at = b * D * H;
          if (given) copyRow(given.data, at, state.data, at, D * H);
          else state.data.fill(0, at, at + D * H);
        }
      }
    });
    const { watch } = plan;
    if (watch && c) plan.step([mask, h0, c0, out], () => () => spread(watch.last!, mask!, { h: h0, c: c0 }));
    return [out, ...states];
  };
}

/**
 * Puts the steps of a trace back where they were before compact(). At a masked step gates are zeros, and states stay.
 * @param first the initial states (B, D, H)
 */
function spread(
  { forward, reverse }: LayerTrace,
  mask: Value,
  first: Readonly<Record<string, Value<Float32Array> | undefined>>,
): void {
  const steps: number[] = [];
  const directions = reverse ? [forward, reverse] : [forward];
  for (const [d, values] of directions.entries()) {
    for (const [name, { data, dims }] of Object.entries(values) as [string, TensorLike][]) {
      const [T, B, H] = dims as [number, number, number];
      const from = data.slice();
      const isState = name in first;
      for (let b = 0; b < B; b++) {
        const count = stepsOf(mask.data as unknown as Uint8Array, b, T, steps);
        for (let i = 0, k = 0; i < T; i++) {
          const t = d ? T - 1 - i : i;
          const at = (t * B + b) * H;
          const before = at + (d ? B : -B) * H;
          if (mask.data[b * T + t]) copyRow(from, ((d ? count - 1 - k++ : k++) * B + b) * H, data, at, H);
          else if (isState && i > 0) copyRow(data, before, data, at, H);
          else if (first[name]) copyRow(first[name].data, (b * directions.length + d) * H, data, at, H);
          else data.fill(0, at, at + H);
        }
      }
    }
  }
}

function copyRow(from: Float32Array, start: number, to: Float32Array, at: number, count: number): void {
  for (let i = 0; i < count; i++) to[at + i] = from[start + i]!;
}

/** Reverses the steps of a sequence and of its mask. */
export function turnSteps(graph: KerasGraph, { slot, shape, mask }: Tensor): Tensor {
  const turned = (one: number) => graph.step([one], reverse(graph.path))[0]!;
  return { slot: turned(slot), shape, mask: mask === undefined ? undefined : turned(mask) };
}

/** Reverses the steps of (B, T, *). */
function reverse(path: string): Lower {
  return ([x], plan) => {
    const [B, T, ...rest] = x!.dims as [number, number, ...number[]];
    const size = product(rest);
    const out = plan.make(x!.type, x!.dims, path);
    if (x!.count) plan.copy(x!, (T - 1) * size, [T * size, -size, 1], out, [B, T, size]);
    return [out];
  };
}
