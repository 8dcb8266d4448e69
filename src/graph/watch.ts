import type { LayerTrace } from '../nn/trace.ts';

/** Takes what the recurrent nodes of one run do at each step. */
export class Watch {
  private readonly _traces = new Map<string, LayerTrace>();
  /** The trace that was added last. */
  last: LayerTrace | undefined;

  /** Adds a trace under the name of its node; a name that comes again gets a number. */
  add(name: string, trace: LayerTrace): void {
    let key = name;
    for (let n = 2; this._traces.has(key); n++) key = `${name} (${n})`;
    this._traces.set(key, trace);
    this.last = trace;
  }

  /** Forgets all, where a run begins anew. */
  clear(): void {
    this._traces.clear();
  }

  /** Gives the traces by name, in the order in which the nodes ran. */
  all(): Record<string, LayerTrace> {
    return Object.assign(Object.create(null), Object.fromEntries(this._traces));
  }
}
