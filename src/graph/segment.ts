import type { BoundSteps } from './block.ts';
import { Builder, type Limits, Needed } from './builder.ts';
import type { Graph, GraphStep, Operand } from './graph.ts';
import { copyRepeat, endIteration, nextIteration, type Repetition, resultsOf, startRepeat } from './repeat.ts';
import type { Residents } from './residents.ts';
import { newData, type ValueData, type ValueType } from './types.ts';
import { Storage, Value } from './value.ts';
import type { Watch } from './watch.ts';
/** The most plans that a graph keeps, and the most ways on that a plan keeps. */
export const KEPT = 8;
/** The cost of a slot where a plan is split, in elements. */
const SPLIT = 16;

/** Thrown where planning needs the elements of feeds of few integers. */
export class FeedsNeeded extends Error {
  readonly feeds: ReadonlySet<number>;

  constructor(feeds: ReadonlySet<number>) {
    super('feeds are needed while planning');
    this.feeds = feeds;
  }
}

interface Frame {
  readonly graph: Graph;
  index: number;
  /** Slots that take the outputs of a branch; undefined for the main graph. */
  readonly targets: readonly number[] | undefined;
  /** Where a graph that is repeated has come; `index` is -1 between iterations. */
  readonly repetition: Repetition | undefined;
}

/** How far planning has come. */
interface State {
  frames: Frame[];
  slots: (Value | undefined)[];
  limits: Limits;
}

/** The state of planning from the first segment of a plan to the last. */
export interface Planning {
  readonly needed: ReadonlySet<GraphStep>;
  /** The places of the outputs that are asked for. */
  readonly outputs: readonly number[];
  readonly residents: Residents;
  /** Turns an error that is none of the model's into one that names the node. */
  readonly fail: (error: unknown, path: string) => never;
  readonly size: Size;
  readonly watch?: Watch | undefined;
}

/** Counts what the segments of a plan take. */
export interface Size {
  segments: number;
  bytes: number;
}

/** Room to compare elements byte by byte. Its views are made once, so that a run makes no garbage. */
export class Probe {
  private readonly _data: ValueData;
  private readonly _bytes: Uint8Array;

  constructor(type: ValueType, count: number) {
    this._data = newData(type, count);
    this._bytes = new Uint8Array(this._data.buffer);
  }

  /** Takes a copy of the elements. */
  read(data: ValueData): void {
    (this._data as Float32Array).set(data as Float32Array);
  }

  has(bytes: Uint8Array): boolean {
    const own = this._bytes;
    for (let i = 0; i < own.length; i++) if (own[i] !== bytes[i]) return false;
    return true;
  }

  copy(): Uint8Array {
    return this._bytes.slice();
  }
}

/** A way on from the end of a segment. */
interface Way {
  /** The elements for which it was planned. */
  readonly bytes: Uint8Array;
  readonly segment: Segment;
}

/** Part of a plan: steps, and what comes after them. */
export class Segment {
  /** The outputs asked for, if this is the last part. */
  readonly outputs: readonly Value[] | undefined;
  /** The value on whose elements the next part depends. */
  private readonly _wanted: Value | undefined;
  private readonly _bound: BoundSteps;
  private readonly _planning: Planning;
  /** Where planning stopped; undefined after the last part. */
  private readonly _state: State | undefined;
  /** The one that was taken last comes first. */
  private readonly _ways: Way[] = [];
  private readonly _probe: Probe | undefined;
  private readonly _bytes: number;

  constructor(planning: Planning, state: State, inputs: readonly Value[]) {
    const builder = new Builder(state.limits, planning.residents, planning.watch);
    this._planning = planning;
    this._wanted = planGraph(builder, planning, state);
    this._state = this._wanted && state;
    if (this._wanted) {
      const stacks = state.frames.flatMap(({ repetition }) => repetition?.stacks.flat() ?? []);
      const alive = [...state.slots, ...stacks].filter((value) => value !== undefined);
      // what is copied for each way on
      state.limits.count(SPLIT * (state.slots.length + alive.length), pathOf(state));
      this._probe = new Probe(this._wanted.type, this._wanted.count);
      this._bound = bind(builder, planning, inputs, [...alive, this._wanted]);
    } else {
      builder.begin([], 'graph');
      builder.immediate = false;
      const { outputs } = state.frames[0]!.graph;
      this.outputs = planning.outputs.map((i) => builder.plain(readOperand(state, outputs[i])!));
      this._bound = bind(builder, planning, inputs, this.outputs);
    }
    this._bytes = this._bound.bytes + 2 * (this._wanted?.storage.bytes ?? 0);
    planning.size.segments++;
    planning.size.bytes += this._bytes;
  }

  /** Runs the steps. @returns the next part, or undefined after the last */
  run(): Segment | undefined {
    this._bound.run();
    return this._wanted && this._way(this._wanted);
  }

  /** Drops the ways that the last run did not take. */
  trim(): void {
    if (this._ways.length > 1) for (const { segment } of this._ways.splice(1)) segment.dispose();
    this._ways[0]?.segment.trim();
  }

  dispose(): void {
    this._planning.size.segments--;
    this._planning.size.bytes -= this._bytes;
    this._bound.dispose();
    for (const { segment } of this._ways) segment.dispose();
  }

  private _way(wanted: Value): Segment {
    const ways = this._ways;
    const probe = this._probe!;
    probe.read(wanted.data);
    for (let i = 0; i < ways.length; i++) {
      const way = ways[i]!;
      if (!probe.has(way.bytes)) continue;
      toFront(ways, i);
      return way.segment;
    }
    const storage = Storage.of(wanted.type, wanted.data.slice());
    const known = <V extends Value | undefined>(value: V): V =>
      value?.storage === wanted.storage ? (new Value(value.dims, storage, value.turned) as V) : value;
    const { frames, slots, limits } = this._state!;
    const state: State = {
      frames: frames.map((frame) => ({
        ...frame,
        repetition: frame.repetition && copyRepeat(frame.repetition, known),
      })),
      slots: slots.map(known),
      limits: limits.copy(),
    };
    const bytes = probe.copy();
    ways.unshift({ bytes, segment: new Segment(this._planning, state, []) });
    for (const { segment } of ways.splice(KEPT)) segment.dispose();
    return ways[0]!.segment;
  }
}

/** Moves an element to the front. */
export function toFront(list: unknown[], from: number): void {
  const element = list[from];
  for (let k = from; k > 0; k--) list[k] = list[k - 1];
  list[0] = element;
}

/** The path of the node that is planned next. */
function pathOf({ frames }: State): string {
  const { graph, index, repetition } = frames[frames.length - 1]!;
  return graph.steps[index]?.place.path ?? repetition!.repeat.path;
}

function bind(builder: Builder, planning: Planning, inputs: readonly Value[], kept: readonly Value[]): BoundSteps {
  try {
    return builder.bind(inputs, kept);
  } catch (error) {
    return planning.fail(error, 'graph');
  }
}

function readOperand({ slots }: State, operand: Operand): Value | undefined {
  return typeof operand === 'number' ? slots[operand] : operand;
}

/** Plans on from `state`. @returns the value whose elements are needed to go on; undefined at the end */
function planGraph(builder: Builder, planning: Planning, state: State): Value | undefined {
  const { frames, slots } = state;
  for (;;) {
    const frame = frames[frames.length - 1]!;
    const { steps, outputs } = frame.graph;
    const step = steps[frame.index];
    const before = builder.length;
    const { repetition } = frame;
    const path = step?.place.path ?? repetition?.repeat.path ?? '';
    try {
      if (!step) {
        if (!frame.targets) return undefined;
        const found = outputs.map((operand) => readOperand(state, operand));
        if (repetition) {
          if (frame.index >= 0) endIteration(repetition, found);
          frame.index = -1;
          const next = nextIteration(repetition, builder);
          for (const [i, slot] of repetition.repeat.slots.entries()) if (next) slots[slot] = next[i];
          frame.index = next ? 0 : -1;
          if (next) continue;
        }
        const results = repetition ? resultsOf(repetition, builder) : found;
        frames.pop();
        const outer = frames[frames.length - 1]!;
        assign(slots, frame.targets, results, outer.graph.steps[outer.index - 1]!);
        continue;
      }
      if (!planning.needed.has(step)) {
        frame.index++;
        continue;
      }
      const inputs = step.operands.map((operand) => readOperand(state, operand));
      builder.begin(inputs, step.place.path);
      if (planning.watch) builder.turn = turnOf(frames);
      const results = step.lower(inputs, builder);
      const { branches, repeat, targets } = step;
      const taken = branches && chooseBranch(builder, branches, inputs[0]);
      frame.index++;
      if (taken) {
        const index = repeat ? -1 : 0;
        frames.push({ graph: taken, index, targets, repetition: repeat && startRepeat(repeat, inputs) });
        continue;
      }
      // within a repetition what adds no step counts as one
      if (frames.length > 1 && builder.length === before) builder.limits.step(path);
      assign(slots, targets, results, step);
    } catch (error) {
      if (!(error instanceof Needed)) planning.fail(error, path);
      const { sources } = error.value.storage;
      if (sources?.size) throw new FeedsNeeded(sources);
      builder.cut(before);
      return error.value;
    }
  }
}

/** Tells the turns of the repetitions around a node, the outermost first. */
function turnOf(frames: readonly Frame[]): string {
  return frames.map(({ repetition }) => (repetition ? `[${repetition.iteration}]` : '')).join('');
}

function assign(
  slots: (Value | undefined)[],
  targets: readonly number[],
  results: readonly (Value | undefined)[],
  { last }: GraphStep,
): void {
  for (const slot of last) slots[slot] = undefined;
  for (const [i, slot] of targets.entries()) if (slot >= 0) slots[slot] = results[i];
}

function chooseBranch(builder: Builder, [yes, no = yes]: readonly Graph[], condition: Value | undefined): Graph {
  return no === yes || builder.need(condition!).data[0] ? yes! : no!;
}
