import { describe } from '../base/tensor.ts';
import { refuse } from './refuse.ts';

interface Source {
  readonly name: string;
  readonly call: number;
}

/** A call of a layer and those whose outputs it takes. */
interface Sortable {
  readonly node: { readonly name: string };
  readonly call: number;
  readonly inputs: readonly Source[];
  readonly masks?: readonly (Source | undefined)[] | undefined;
}

/** Names a call of a layer among all calls. */
export function callKey({ name, call }: Source): string {
  return `${call} ${name}`;
}

/** A layer on the way, and how many of those that it takes were looked at. */
interface Visit<T> {
  readonly node: T;
  readonly needed: readonly T[];
  next: number;
}

/**
 * Sorts the calls of layers so that each comes after those whose outputs it takes; keeps the order of the file otherwise. Looks at each layer
 * and each of its inputs once.
 * @throws ModelError for a cycle, or an input that is no layer
 */
export function sortCalls<T extends Sortable>(nodes: readonly T[]): T[] {
  const names = new Set(nodes.map(({ node }) => node.name));
  const byKey = new Map(nodes.map((one) => [callKey({ name: one.node.name, call: one.call }), one]));
  const sorted: T[] = [];
  const done = new Set<T>();
  const open = new Set<T>();
  const visit = (node: T): Visit<T> => {
    open.add(node);
    const sources = [...node.inputs, ...(node.masks ?? []).filter((mask) => mask !== undefined)];
    const needed = sources.map((source) => {
      const found = byKey.get(callKey(source));
      if (found) return found;
      const { name, call } = source;
      const what = names.has(name)
        ? `call ${call} of ${describe(name)}, which does not exist`
        : `${describe(name)}, which is no layer`;
      const reason = `${describe(node.node.name)} takes ${what}`;
      return refuse.because('unknown-layer', node.node.name, reason, 'a layer', name);
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
          const { name } = other.node;
          refuse.because('cycle', name, `${describe(name)} depends on itself`, 'no cycle', name);
        }
        stack.push(visit(other));
      }
    }
  }
  return sorted;
}
