import type { Builder } from './builder.ts';
import type { ValueType } from './types.ts';
import { Value } from './value.ts';

/**
 * How a step repeats its graph. The graph's inputs are the number of the iteration and a condition, where these are counted, then
 * states, then slices of what is scanned; its outputs are the condition, the states, and what is stacked.
 */
export interface Repeat {
  /** Slots of the graph's inputs. */
  readonly slots: readonly number[];
  readonly isCounted: boolean;
  /** How many states there are. */
  readonly states: number;
  /** Tells how often the graph is run at the most. */
  readonly count: (inputs: readonly (Value | undefined)[], builder: Builder) => number;
  /** Gives what the k-th slice of an iteration is. */
  readonly slice: (inputs: readonly (Value | undefined)[], k: number, iteration: number, builder: Builder) => Value;
  /** Makes a result of the k-th outputs that are stacked. */
  readonly stack: (k: number, values: readonly Value[], builder: Builder) => Value;
  /** How many outputs are stacked. */
  readonly stacked: number;
  readonly path: string;
}

/** Where a repetition is. Each iteration is planned: what it is computed from may differ. */
export interface Repetition {
  readonly repeat: Repeat;
  readonly inputs: readonly (Value | undefined)[];
  iteration: number;
  /** undefined: it goes on. */
  condition: Value | undefined;
  states: readonly (Value | undefined)[];
  readonly stacks: readonly Value[][];
}

export function startRepeat(repeat: Repeat, inputs: readonly (Value | undefined)[]): Repetition {
  const { isCounted, states, stacked } = repeat;
  const first = isCounted ? 2 : 0;
  return {
    repeat,
    inputs,
    iteration: 0,
    condition: isCounted ? inputs[1] : undefined,
    states: inputs.slice(first, first + states),
    stacks: Array.from({ length: stacked }, () => []),
  };
}

type Map = <V extends Value | undefined>(value: V) => V;

/** A copy for another way on, in which values become `known`. */
export function copyRepeat(repetition: Repetition, known: Map): Repetition {
  const { inputs, condition, states, stacks } = repetition;
  return {
    ...repetition,
    inputs: inputs.map(known),
    condition: known(condition),
    states: states.map(known),
    stacks: stacks.map((values) => values.map(known)),
  };
}

/** Takes the outputs of an iteration. */
export function endIteration(repetition: Repetition, outputs: readonly (Value | undefined)[]): void {
  const { repeat, inputs, stacks } = repetition;
  const first = repeat.isCounted ? 1 : 0;
  // a condition that is not given at first counts as left out
  repetition.condition = repeat.isCounted && inputs[1] ? outputs[0] : undefined;
  repetition.states = outputs.slice(first, first + repeat.states);
  for (const [k, values] of stacks.entries()) values.push(outputs[first + repeat.states + k]!);
  repetition.iteration++;
}

const constant = (type: ValueType, data: BigInt64Array | Uint8Array) => Value.of(type, [], data);

/**
 * Gives the inputs of the next iteration; undefined after the last.
 * @throws Needed if the condition or the number of iterations is not known
 */
export function nextIteration(repetition: Repetition, builder: Builder): (Value | undefined)[] | undefined {
  const { repeat, inputs, iteration, condition, states } = repetition;
  const { isCounted, slots, path } = repeat;
  builder.begin(inputs, path);
  if (iteration >= repeat.count(inputs, builder)) return undefined;
  if (condition && !builder.need(condition).data[0]) return undefined;
  // even where nothing is computed, so that no file plans without end
  builder.limits.step(path);
  const counters = isCounted
    ? [constant('int64', BigInt64Array.of(BigInt(iteration))), constant('bool', Uint8Array.of(1))]
    : [];
  const first = counters.length + states.length;
  const slices = slots.slice(first).map((_, k) => repeat.slice(inputs, k, iteration, builder));
  return [...counters, ...states, ...slices];
}

/** Gives the results after the last iteration. */
export function resultsOf({ repeat, states, stacks }: Repetition, builder: Builder): (Value | undefined)[] {
  const stacked = stacks.map((values, k) => {
    builder.begin(values, repeat.path);
    return repeat.stack(k, values, builder);
  });
  return [...states, ...stacked];
}
