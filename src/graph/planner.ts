import { copyFloats } from '../memory/rows.ts';
import { type BoundSteps, Builder, type Limits, Needed } from './builder.ts';
import { Residents } from './residents.ts';
import { newData, type ValueData, type ValueType } from './types.ts';
import { NO_SOURCES, Storage, Value } from './value.ts';

// Plans a graph for the dims of its feeds. A plan is a list of steps on one block of linear memory. Where planning depends on
// elements that only a run has, the plan ends there: the run reads them, and goes on with a plan for what it read.

/** An input of a node: a slot of the run, or a constant; undefined if it is left out. */
export type Operand = number | Value | undefined;

/** Plans a node: checks its inputs, adds its steps, and gives its results. */
export type Lower = (inputs: readonly (Value | undefined)[], builder: Builder) => readonly Value[];

/** A node, ready to be planned. */
export interface GraphStep {
  /** Names the node in errors. It is asked for its path when that is needed: thousands of paths would be much. */
  readonly place: { readonly path: string };
  readonly operands: readonly Operand[];
  /** Slots of the outputs; -1 for an output that nothing reads. */
  readonly targets: readonly number[];
  readonly lower: Lower;
  /** The graphs for true and for false of the first input, whose `lower` only checks it. */
  readonly branches: readonly [Graph, Graph] | undefined;
  /** Slots that nothing reads after this step. */
  readonly last: readonly number[];
}

/** Nodes in order, and where the graph's outputs are afterwards. */
export interface Graph {
  readonly steps: readonly GraphStep[];
  readonly outputs: readonly Operand[];
}

/** The most plans that a graph keeps, and the most ways on that a plan keeps. */
const KEPT = 8;
/** Feeds of more elements are not made part of a plan. */
const FEW = 64;
/** The most segments of a plan; beyond, only the ways that the last run took stay. */
const MOST_SEGMENTS = 64;
/** Bytes of plans beyond which the oldest go. */
const MOST_BYTES = 64 << 20;
/** What a slot costs where a plan is split, in elements. */
const SPLIT = 16;
/** How often a run may begin anew for the elements of some feeds; then it is planned for those of all feeds of few integers. */
const MOST_BEGINNINGS = 8;

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
}

/** How far planning has come. */
interface State {
  frames: Frame[];
  slots: (Value | undefined)[];
  limits: Limits;
}

/** What planning has in common from the first segment of a plan to the last. */
export interface Planning {
  readonly needed: ReadonlySet<GraphStep>;
  /** The places of the outputs that are asked for. */
  readonly outputs: readonly number[];
  readonly residents: Residents;
  /** Turns an error that is none of the model's into one that names the node. */
  readonly fail: (error: unknown, path: string) => never;
  readonly size: Size;
}

/** What the segments of a plan take. */
interface Size {
  segments: number;
  bytes: number;
}

/** Room to compare elements byte by byte. Its views are made once, so that a run makes no garbage. */
class Probe {
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
    const builder = new Builder(state.limits, planning.residents);
    this._planning = planning;
    this._wanted = planGraph(builder, planning, state);
    this._state = this._wanted && state;
    if (this._wanted) {
      const alive = state.slots.filter((value) => value !== undefined);
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
    const known = Storage.of(wanted.type, wanted.data.slice());
    const { frames, slots, limits } = this._state!;
    const state: State = {
      frames: frames.map((frame) => ({ ...frame })),
      slots: slots.map((value) =>
        value?.storage === wanted.storage ? new Value(value.dims, known, value.turned) : value,
      ),
      limits: limits.copy(),
    };
    const bytes = probe.copy();
    ways.unshift({ bytes, segment: new Segment(this._planning, state, []) });
    for (const { segment } of ways.splice(KEPT)) segment.dispose();
    return ways[0]!.segment;
  }
}

/** Moves an element to the front. */
function toFront(list: unknown[], from: number): void {
  const element = list[from];
  for (let k = from; k > 0; k--) list[k] = list[k - 1];
  list[0] = element;
}

/** The path of the node that is planned next. */
function pathOf({ frames }: State): string {
  const { graph, index } = frames[frames.length - 1]!;
  return graph.steps[index]!.place.path;
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
    if (!step) {
      if (!frame.targets) return undefined;
      frames.pop();
      const results = outputs.map((operand) => readOperand(state, operand));
      assign(
        slots,
        frame.targets,
        results,
        frames[frames.length - 1]!.graph.steps[frames[frames.length - 1]!.index - 1]!,
      );
      continue;
    }
    if (!planning.needed.has(step)) {
      frame.index++;
      continue;
    }
    const before = builder.length;
    try {
      const inputs = step.operands.map((operand) => readOperand(state, operand));
      builder.begin(inputs, step.place.path);
      const results = step.lower(inputs, builder);
      const taken = step.branches && chooseBranch(builder, step.branches, inputs[0]!);
      frame.index++;
      if (taken) {
        frames.push({ graph: taken, index: 0, targets: step.targets });
        continue;
      }
      assign(slots, step.targets, results, step);
    } catch (error) {
      if (!(error instanceof Needed)) planning.fail(error, step.place.path);
      const { sources } = error.value.storage;
      if (sources?.size) throw new FeedsNeeded(sources);
      builder.cut(before);
      return error.value;
    }
  }
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

function chooseBranch(builder: Builder, [yes, no]: readonly [Graph, Graph], condition: Value): Graph {
  return builder.need(condition).data[0] ? yes : no;
}

/** Finds the nodes that the outputs at these places depend on. */
function neededSteps(graph: Graph, outputs: readonly number[]): Set<GraphStep> {
  const needed = new Set<GraphStep>();
  const slots = new Set<Operand>(outputs.map((i) => graph.outputs[i]));
  const mark = ({ steps }: Graph): void => {
    for (let i = steps.length - 1; i >= 0; i--) {
      const step = steps[i]!;
      if (!step.targets.some((slot) => slots.has(slot))) continue;
      needed.add(step);
      for (const operand of step.operands) slots.add(operand);
      for (const branch of step.branches ?? []) {
        for (const operand of branch.outputs) slots.add(operand);
        mark(branch);
      }
    }
  };
  mark(graph);
  return needed;
}

/** A feed, checked: its elements may be the caller's own array. */
export interface Feed {
  readonly type: Value['type'];
  readonly dims: readonly number[];
  /** The number of elements. */
  readonly count: number;
  /** The elements, unless `pointer` tells where floats of linear memory are. */
  readonly data: ValueData;
  readonly pointer: number;
}

/** A plan for feeds of certain dims, with certain elements in some feeds of few integers. */
export class Plan {
  readonly outputs: readonly number[];
  private readonly _dims: readonly (readonly number[])[];
  private readonly _known: readonly { readonly feed: number; readonly bytes: Uint8Array; readonly probe: Probe }[];
  private readonly _size: Size = { segments: 0, bytes: 0 };
  private readonly _inputs: readonly Value[];
  readonly first: Segment;

  constructor(
    graph: Graph,
    slotCount: number,
    feeds: readonly Feed[],
    known: ReadonlySet<number>,
    outputs: readonly number[],
    limits: Limits,
    common: Pick<Planning, 'residents' | 'fail'>,
  ) {
    this.outputs = outputs.slice();
    this._dims = feeds.map(({ dims }) => dims.slice());
    this._known = [...known]
      .filter((i) => isFew(feeds[i]!))
      .map((feed) => {
        const { type, count, data } = feeds[feed]!;
        const probe = new Probe(type, count);
        probe.read(data);
        return { feed, bytes: probe.copy(), probe };
      });
    const slots: (Value | undefined)[] = new Array(slotCount);
    this._inputs = feeds.map((feed, i) => {
      const { type, dims, count, data } = feed;
      const own = dims.slice();
      if (known.has(i) && isFew(feed)) return Value.of(type, own, data.slice());
      const sources = isFew(feed) ? new Set([i]) : undefined;
      return new Value(own, Storage.planned(type, count, count ? sources : NO_SOURCES));
    });
    for (const [i, value] of this._inputs.entries()) slots[i] = value.count || value.known ? value : emptyValue(value);
    const state = { frames: [{ graph, index: 0, targets: undefined }], slots, limits };
    const planning = { needed: neededSteps(graph, outputs), outputs: this.outputs, ...common, size: this._size };
    this.first = new Segment(planning, state, this._inputs);
  }

  /** Whether the plan is one for these feeds and outputs. Makes no garbage. */
  fits(feeds: readonly Feed[], outputs: readonly number[]): boolean {
    if (!sameNumbers(outputs, this.outputs)) return false;
    for (let i = 0; i < feeds.length; i++) if (!sameNumbers(feeds[i]!.dims, this._dims[i]!)) return false;
    for (let i = 0; i < this._known.length; i++) {
      const { feed, bytes, probe } = this._known[i]!;
      probe.read(feeds[feed]!.data);
      if (!probe.has(bytes)) return false;
    }
    return true;
  }

  /** Runs the plan. @returns the outputs, whose elements hold until the next run */
  run(feeds: readonly Feed[], targets: { check(outputs: readonly Value[]): void }): readonly Value[] {
    for (let i = 0; i < feeds.length; i++) {
      const input = this._inputs[i]!;
      if (input.known || input.count === 0) continue;
      const { data, pointer, count } = feeds[i]!;
      if (pointer) copyFloats(input.storage.pointer, pointer, count);
      else (input.data as Float32Array).set(data as Float32Array);
    }
    let segment: Segment = this.first;
    for (;;) {
      if (segment.outputs) targets.check(segment.outputs);
      const next = segment.run();
      if (!next) return segment.outputs!;
      segment = next;
    }
  }

  get bytes(): number {
    return this._size.bytes;
  }

  /** Drops the ways that the last run did not take, if there are too many. */
  trim(): void {
    if (this._size.segments > MOST_SEGMENTS || this._size.bytes > MOST_BYTES) this.first.trim();
  }

  dispose(): void {
    this.first.dispose();
  }
}

function emptyValue({ type, dims }: Value): Value {
  return Value.of(type, dims, newData(type, 0));
}

function isFew({ type, count }: Feed): boolean {
  return type !== 'float32' && count <= FEW;
}

function sameNumbers(a: readonly number[], b: readonly number[]): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

/** Elements that steps of a graph read and that are known before it is planned. */
function constantsOf(graph: Graph, found = new Set<ValueData>()): Set<ValueData> {
  for (const { operands, branches } of graph.steps) {
    for (const operand of operands) if (typeof operand === 'object') found.add(operand.data);
    for (const branch of branches ?? []) constantsOf(branch, found);
  }
  return found;
}

/** The last plans of a graph. */
export class Plans {
  private readonly _plans: Plan[] = [];
  private readonly _graph: Graph;
  private readonly _slots: number;
  private readonly _common: Pick<Planning, 'residents' | 'fail'>;
  /** Feeds whose elements some plan needed. */
  private readonly _known = new Set<number>();

  constructor(graph: Graph, slots: number, fail: Planning['fail']) {
    this._graph = graph;
    this._slots = slots;
    this._common = { residents: new Residents(constantsOf(graph)), fail };
  }

  /**
   * Runs the graph.
   * @param outputs the places of the outputs to compute
   * @param limitsFor what a new plan may ask for
   * @param targets checks the outputs' dims; before the run if they are known then
   * @returns these outputs, whose elements hold until the next run
   */
  run(
    feeds: readonly Feed[],
    outputs: readonly number[],
    limitsFor: (feeds: readonly Feed[]) => Limits,
    targets: { check(outputs: readonly Value[]): void },
  ): readonly Value[] {
    for (let beginnings = 1; ; beginnings++) {
      try {
        const plan = this._planFor(feeds, outputs, limitsFor);
        try {
          return plan.run(feeds, targets);
        } finally {
          plan.trim();
          this._drop();
        }
      } catch (error) {
        if (!(error instanceof FeedsNeeded)) throw error;
        this._require(beginnings < MOST_BEGINNINGS ? error.feeds : feeds.keys());
      }
    }
  }

  private _require(feeds: Iterable<number>): void {
    for (const feed of feeds) this._known.add(feed);
    // plans that do without may run into the same again
    for (const plan of this._plans.splice(0)) plan.dispose();
  }

  private _planFor(
    feeds: readonly Feed[],
    outputs: readonly number[],
    limitsFor: (feeds: readonly Feed[]) => Limits,
  ): Plan {
    const plans = this._plans;
    for (let i = 0; i < plans.length; i++) {
      const plan = plans[i]!;
      if (!plan.fits(feeds, outputs)) continue;
      // the last one is dropped first
      toFront(plans, i);
      return plan;
    }
    const plan = new Plan(this._graph, this._slots, feeds, this._known, outputs, limitsFor(feeds), this._common);
    plans.unshift(plan);
    this._drop();
    return plan;
  }

  /** Drops the oldest plans that are too many or too large. */
  private _drop(): void {
    const plans = this._plans;
    let kept = 0;
    for (let bytes = 0; kept < Math.min(plans.length, KEPT); kept++) {
      bytes += plans[kept]!.bytes;
      if (kept > 0 && bytes > MOST_BYTES) break;
    }
    if (kept < plans.length) for (const old of plans.splice(kept)) old.dispose();
  }

  dispose(): void {
    for (const plan of this._plans.splice(0)) plan.dispose();
    this._common.residents.dispose();
  }
}
