import { product } from '../base/tensor.ts';
import { Builder } from '../graph/builder.ts';
import type { GraphDraft } from '../graph/graph.ts';
import { Storage, Value } from '../graph/value.ts';
import { Work } from '../operators/value.ts';
import type { KerasGraph } from './graph.ts';
import type { ModelParts } from './parts.ts';
import { kerasRefusal, refuse } from './refuse.ts';

// The work that a call may ask for, as for ONNX models. A number that is fed may meet every weight and make some in each layer.
// Products are more, since a decoder repeats a vector for hundreds of steps: 2^31 take about a second.
const ELEMENTS = 2 ** 24;
const ELEMENTS_PER_LAYER = 64;
const MOST_ELEMENTS = 2 ** 18;
const MULTIPLICATIONS = 2 ** 31;
// The steps of a plan: a convolution with groups or dilation makes some for each row of a batch.
const STEPS = 2 ** 15;
const STEPS_PER_LAYER = 64;

/** Sizes of a model that decide how much work is in proportion. */
type ModelSize = Pick<KerasGraph, 'weights' | 'calls'>;

/** The numbers that a call may make. */
export function mostElements(fed: number, { weights, calls }: ModelSize): number {
  return ELEMENTS + fed * (Math.min(weights, MOST_ELEMENTS) + ELEMENTS_PER_LAYER * calls);
}

/** Bounds what a plan may ask for. @param fed the numbers that are fed */
export function workFor(fed: number, size: ModelSize): Work {
  const multiplications = MULTIPLICATIONS + fed * (4 * size.weights + ELEMENTS_PER_LAYER * size.calls);
  const steps = STEPS + fed / 4 + STEPS_PER_LAYER * size.calls;
  return new Work(kerasRefusal, mostElements(fed, size), multiplications, refuseWork, steps);
}

/** Refuses a layer, or what `path` names, for too much work. */
export function refuseWork(path: string): never {
  const reason = `${path} asks for more work than inputs and weights account for: a size in the model is absurd`;
  return refuse.because('too-large', path, reason, 'work in proportion', 'more');
}

/**
 * Plans one sample, as far as all sizes are known, so that a model whose sizes are absurd is refused when it is loaded.
 * @throws ModelError
 */
export function rehearse({ graph, inputs }: ModelParts): void {
  const dims = inputs.map((input) => [1, ...input.dims.slice(1).map((size) => size ?? Number.NaN)]);
  const fed = dims.reduce((sum, one) => sum + product(one), 0);
  if (Number.isNaN(fed)) return;
  const builder = new Builder(workFor(fed, graph));
  const slots: (Value | undefined)[] = new Array(graph.slots);
  const fill = (slot: number, size: readonly number[]) => {
    slots[slot] = new Value(size, Storage.planned('float32', product(size), undefined));
  };
  for (const [i, { slot }] of inputs.entries()) fill(slot, dims[i]!);
  for (const { input, size } of graph.states) fill(input, [1, size]);
  for (const step of graph.steps) plan(step, slots, builder);
}

function plan({ operands, place, lower, targets }: GraphDraft, slots: (Value | undefined)[], builder: Builder): void {
  const values = operands.map((operand) => (typeof operand === 'number' ? slots[operand] : operand));
  builder.begin(values, place.path);
  // at once it would compute
  builder.immediate = false;
  const results = lower(values, builder);
  for (const [i, slot] of targets.entries()) slots[slot] = results[i];
}
