import { describe } from '../base/tensor.ts';
import { refuse } from './refuse.ts';

interface Named {
  readonly name: string;
}

/** A layer and those whose outputs it takes. */
interface Sortable extends Named {
  readonly inputs: readonly Named[];
  readonly mask?: Named | undefined;
}

/** A layer on the way, and how many of those that it takes were looked at. */
interface Visit<T> {
  readonly node: T;
  readonly needed: readonly T[];
  next: number;
}

/**
 * Sorts the layers so that each comes after those whose outputs it takes; keeps the order of the file otherwise. Looks at each layer
 * and each of its inputs once.
 * @throws ModelError for a cycle, or an input that is no layer
 */
export function sortNodes<T extends Sortable>(nodes: readonly T[]): T[] {
  const byName = new Map(nodes.map((node) => [node.name, node]));
  const sorted: T[] = [];
  const done = new Set<T>();
  const open = new Set<T>();
  const visit = (node: T): Visit<T> => {
    open.add(node);
    const sources = node.mask ? [...node.inputs, node.mask] : node.inputs;
    const needed = sources.map(({ name }) => {
      const found = byName.get(name);
      if (found) return found;
      const reason = `${describe(node.name)} takes ${describe(name)}, which is no layer`;
      return refuse.because('unknown-layer', node.name, reason, 'a layer', name);
    });
    return { node, needed, next: 0 };
  };
  for (const first of nodes) {
    if (done.has(first)) continue;
    // a stack of its own, not recursion: a file may chain thousands of layers
    const stack = [visit(first)];
    for (let top = stack.at(-1); top; top = stack.at(-1)) {
      const { node, needed } = top;
      const other = needed[top.next++];
      if (!other) {
        done.add(node);
        sorted.push(node);
        stack.pop();
      } else if (!done.has(other)) {
        if (open.has(other)) {
          refuse.because('cycle', other.name, `${describe(other.name)} depends on itself`, 'no cycle', other.name);
        }
        stack.push(visit(other));
      }
    }
  }
  return sorted;
}
