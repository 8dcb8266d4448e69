import type { Limits } from './builder.ts';
import { constantsOf, type Graph } from './graph.ts';
import { type Feed, MOST_BYTES, Plan } from './plan.ts';
import { Residents } from './residents.ts';
import { FeedsNeeded, KEPT, type Planning, toFront } from './segment.ts';
import { Value } from './value.ts';
import type { Watch } from './watch.ts';

// Plans a graph for the dims of its feeds. A plan is a list of steps on one block of linear memory. Where planning depends on
// elements that only a run has, the plan ends there: the run reads them, and goes on with a plan for what it read.

/** How often a run may begin anew for the elements of some feeds; then it is planned for those of all feeds of few integers. */
const MOST_BEGINNINGS = 8;

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
   * @param watch takes traces of the run, which then has a plan of its own
   * @returns these outputs, whose elements hold until the next run
   */
  run(
    feeds: readonly Feed[],
    outputs: readonly number[],
    limitsFor: (feeds: readonly Feed[]) => Limits,
    targets: { check(outputs: readonly Value[]): void },
    watch?: Watch,
  ): readonly Value[] {
    for (let beginnings = 1; ; beginnings++) {
      try {
        if (watch) return this._runOnce(feeds, outputs, limitsFor(feeds), targets, watch);
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

  /** Runs a plan that is not kept. */
  private _runOnce(
    feeds: readonly Feed[],
    outputs: readonly number[],
    limits: Limits,
    targets: { check(outputs: readonly Value[]): void },
    watch: Watch,
  ): readonly Value[] {
    watch.clear();
    const common = { ...this._common, watch };
    const plan = new Plan(this._graph, this._slots, feeds, this._known, outputs, limits, common);
    try {
      return plan.run(feeds, targets).map(({ type, dims, data }) => Value.of(type, dims, data.slice()));
    } finally {
      plan.dispose();
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
