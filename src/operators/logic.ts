import { stretchedSteps, walk } from '../graph/layout.ts';
import type { ValueType } from '../graph/types.ts';
import type { Operator } from './node.ts';
import { pairs, sameType, stretch } from './pairs.ts';
import { NUMBERS } from './value.ts';

// Comparisons, and operators that use their results.

const EQUATED: readonly ValueType[] = [...NUMBERS, 'bool'];

function comparison(apply: (x: number, y: number) => boolean, types: readonly ValueType[], since = 7): Operator {
  return {
    inputs: [2, 2],
    since,
    prepare:
      (node) =>
      ([a, b], plan) => {
        sameType(node, a!, b!, types);
        return [pairs(node, a!, b!, 'bool', plan, apply)];
      },
  };
}

function logic(apply: (x: number, y: number) => number): Operator {
  return {
    inputs: [2, 2],
    prepare:
      (node) =>
      ([a, b], plan) => {
        sameType(node, a!, b!, ['bool']);
        return [pairs(node, a!, b!, 'bool', plan, apply)];
      },
  };
}

const not: Operator = {
  inputs: [1, 1],
  prepare:
    (node) =>
    ([a], plan) => {
      if (a!.type !== 'bool') node.wrongType('input', 'bool', a!.type);
      const out = plan.make('bool', a!.dims, node.path);
      plan.step([a, out], () => () => {
        const x = a!.data;
        const y = out.data;
        for (let i = 0; i < y.length; i++) y[i] = x[i] ? 0 : 1;
      });
      return [out];
    },
};

export const where: Operator = {
  inputs: [3, 3],
  since: 9,
  prepare:
    (node) =>
    ([condition, x, y], plan) => {
      if (condition!.type !== 'bool') node.wrongType('condition', 'bool', condition!.type);
      sameType(node, x!, y!, EQUATED);
      const dims = stretch(node, stretch(node, x!.dims, y!.dims), condition!.dims);
      const out = plan.make(x!.type, dims, node.path);
      if (out.count === 0) return [out];
      const steps = [condition!, x!, y!].map((value) => stretchedSteps(value.dims, dims));
      plan.step([condition, x, y, out], () => () => {
        const data = out.data as Float32Array;
        const test = condition!.data;
        const yes = x!.data;
        const no = y!.data;
        let at = 0;
        walk(dims, steps, (c, i, j) => {
          data[at++] = (test[c] ? yes[i]! : no[j]!) as number;
        });
      });
      return [out];
    },
};

export const and = logic((x, y) => x & y);
export const or = logic((x, y) => x | y);

export const LOGIC: readonly (readonly [string, Operator])[] = [
  ['Equal', comparison((x, y) => x === y, EQUATED)],
  ['Greater', comparison((x, y) => x > y, NUMBERS)],
  ['Less', comparison((x, y) => x < y, NUMBERS)],
  ['GreaterOrEqual', comparison((x, y) => x >= y, NUMBERS, 12)],
  ['LessOrEqual', comparison((x, y) => x <= y, NUMBERS, 12)],
  ['And', and],
  ['Or', or],
  ['Xor', logic((x, y) => x ^ y)],
  ['Not', not],
  ['Where', where],
];
