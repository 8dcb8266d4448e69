import { copyFloats } from '../memory/rows.ts';
import type { Limits } from './builder.ts';
import { type Graph, neededSteps } from './graph.ts';
import { type Planning, Probe, Segment, type Size } from './segment.ts';
import { newData, type ValueData } from './types.ts';
import { NO_SOURCES, Storage, Value } from './value.ts';
/** Bytes of plans beyond which the oldest go. */
export const MOST_BYTES = 64 << 20;
/** Feeds of more elements are not made part of a plan. */
const FEW = 64;
/** The most segments of a plan; beyond, only the ways that the last run took stay. */
const MOST_SEGMENTS = 64;

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
    common: Pick<Planning, 'residents' | 'fail' | 'watch'>,
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
    const state = { frames: [{ graph, index: 0, targets: undefined, repetition: undefined }], slots, limits };
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
