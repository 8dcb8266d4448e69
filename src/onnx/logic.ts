import { stretchedSteps, walk } from './layout.ts';
import type { Operator } from './node.ts';
import { pairs, sameType, stretch } from './pairs.ts';
import type { ValueType } from './value.ts';

// Comparisons, and operators that use their results.

const COMPARED: readonly ValueType[] = ['float32', 'int64', 'int32'];
const EQUATED: readonly ValueType[] = [...COMPARED, 'bool'];

function comparison(apply: (x: number, y: number) => boolean, types: readonly ValueType[], since = 7): Operator {
  return {
    inputs: [2, 2],
    since,
    prepare:
      (node) =>
      ([a, b], work) => {
        sameType(node, a!, b!, types);
        return [pairs(node, a!, b!, 'bool', work, apply)];
      },
  };
}

function logic(apply: (x: number, y: number) => number): Operator {
  return {
    inputs: [2, 2],
    prepare:
      (node) =>
      ([a, b], work) => {
        sameType(node, a!, b!, ['bool']);
        return [pairs(node, a!, b!, 'bool', work, apply)];
      },
  };
}

const not: Operator = {
  inputs: [1, 1],
  prepare:
    (node) =>
    ([a], work) => {
      if (a!.type !== 'bool') node.wrongType('input', 'bool', a!.type);
      const out = work.make('bool', a!.dims, node.path);
      for (let i = 0; i < out.data.length; i++) out.data[i] = a!.data[i] ? 0 : 1;
      return [out];
    },
};

const where: Operator = {
  inputs: [3, 3],
  since: 9,
  prepare:
    (node) =>
    ([condition, x, y], work) => {
      if (condition!.type !== 'bool') node.wrongType('condition', 'bool', condition!.type);
      sameType(node, x!, y!, EQUATED);
      const dims = stretch(node, stretch(node, x!.dims, y!.dims), condition!.dims);
      const out = work.make(x!.type, dims, node.path);
      const data = out.data as Float32Array;
      let at = 0;
      if (data.length) {
        const steps = [condition!, x!, y!].map((value) => stretchedSteps(value.dims, dims));
        walk(dims, steps, (c, i, j) => {
          data[at++] = (condition!.data[c] ? x!.data[i]! : y!.data[j]!) as number;
        });
      }
      return [out];
    },
};

export const LOGIC: readonly (readonly [string, Operator])[] = [
  ['Equal', comparison((x, y) => x === y, EQUATED)],
  ['Greater', comparison((x, y) => x > y, COMPARED)],
  ['Less', comparison((x, y) => x < y, COMPARED)],
  ['GreaterOrEqual', comparison((x, y) => x >= y, COMPARED, 12)],
  ['LessOrEqual', comparison((x, y) => x <= y, COMPARED, 12)],
  ['And', logic((x, y) => x & y)],
  ['Or', logic((x, y) => x | y)],
  ['Not', not],
  ['Where', where],
];
