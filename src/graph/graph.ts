import type { Builder } from './builder.ts';
import type { Repeat } from './repeat.ts';
import type { ValueData } from './types.ts';
import type { Value } from './value.ts';

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
  readonly branches: readonly [Graph, Graph] | readonly [Graph] | undefined;
  /** How the only graph of `branches` is repeated. */
  readonly repeat: Repeat | undefined;
  /** Slots that nothing reads after this step. */
  readonly last: readonly number[];
}

/** A step before it is known which slots nothing reads after it. */
export type GraphDraft = Omit<GraphStep, 'last'>;

/** Nodes in order, and where the graph's outputs are afterwards. */
export interface Graph {
  readonly steps: readonly GraphStep[];
  readonly outputs: readonly Operand[];
}

/** Finds the nodes that the outputs at these places depend on. */
export function neededSteps(graph: Graph, outputs: readonly number[]): Set<GraphStep> {
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

/** Elements that steps of a graph read and that are known before it is planned. */
export function constantsOf(graph: Graph, found = new Set<ValueData>()): Set<ValueData> {
  for (const { operands, branches } of graph.steps) {
    for (const operand of operands) if (typeof operand === 'object') found.add(operand.data);
    for (const branch of branches ?? []) constantsOf(branch, found);
  }
  return found;
}

const NO_SLOTS: readonly number[] = [];

/** Slots that graphs read, kept so that branches in branches are looked through once. */
const READS = new WeakMap<Graph, ReadonlySet<Operand>>();

/** The slots that a graph reads, in its branches too, and does not fill. */
function readsOf(graph: Graph): ReadonlySet<Operand> {
  const known = READS.get(graph);
  if (known) return known;
  const { steps, outputs } = graph;
  const reads = new Set<Operand>([...steps.flatMap(slotsOf), ...outputs]);
  for (const { targets } of steps) for (const slot of targets) reads.delete(slot);
  READS.set(graph, reads);
  return reads;
}

/** The slots that a step reads, in its branches too. */
function slotsOf({ operands, branches }: GraphDraft): number[] {
  const inner = branches?.flatMap((graph) => [...readsOf(graph)]) ?? [];
  return [...operands, ...inner].filter((operand) => typeof operand === 'number');
}

/** Notes in each step the slots that no later one reads. */
export function withLast(steps: readonly GraphDraft[], outputs: readonly Operand[]): GraphStep[] {
  const needed = new Set<Operand>(outputs);
  const made = new Set(steps.flatMap(({ targets }) => targets));
  return [...steps]
    .reverse()
    .map((step) => {
      // slots that an outer graph filled may still be read there
      const last = [...new Set(slotsOf(step))].filter((slot) => made.has(slot) && !needed.has(slot));
      for (const slot of last) needed.add(slot);
      const { place, operands, targets, lower, branches, repeat } = step;
      // not spread: each object would have a hidden class of its own
      return { place, operands, targets, lower, branches, repeat, last: last.length ? last : NO_SLOTS };
    })
    .reverse();
}
