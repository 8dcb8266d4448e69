import { product } from '../base/tensor.ts';
import type { Builder } from '../graph/builder.ts';
import { strides } from '../graph/layout.ts';
import { Value } from '../graph/value.ts';
import type { Operator, OperatorNode } from './node.ts';
import { batched } from './products.ts';

// Einsum as one product of matrices: labels of both inputs and of the output become its outer axes, those of one input and the
// output its rows or columns, and all others are summed over.

/** A term of an equation: a label for each axis, `0`, `1` ... for the axes that an ellipsis stands for, counted from the last. */
type Labels = readonly string[];

/** Labels of a term; an ellipsis stands for `count` axes. */
function labelsOf(node: OperatorNode, term: string, count: number): Labels {
  const [before, after, more] = term.split('...');
  const letters = `${before}${after ?? ''}`;
  if (more !== undefined || !/^[a-zA-Z]*$/.test(letters) || (after === undefined && count > 0)) {
    node.wrongAttribute('equation', 'letters and one ellipsis in each term', term);
  }
  const hidden = after === undefined ? [] : Array.from({ length: count }, (_, i) => `${count - 1 - i}`);
  return [...before!, ...hidden, ...(after ?? '')];
}

/** The labels of each input and of the output. */
function parse(node: OperatorNode, equation: string, ranks: readonly number[]): [inputs: Labels[], output: Labels] {
  const [left, right, more] = equation.replaceAll(' ', '').split('->');
  const terms = left!.split(',');
  if (more !== undefined || terms.length !== ranks.length) {
    node.wrongAttribute('equation', `${ranks.length} terms`, equation);
  }
  let hidden = 0;
  const inputs = terms.map((term, i) => {
    const spare = ranks[i]! - term.replace('...', '').length;
    if (spare < 0 || (spare > 0 && !term.includes('...'))) {
      node.wrongAttribute('equation', `${ranks[i]} labels for input ${i}`, term);
    }
    hidden = Math.max(hidden, spare);
    return labelsOf(node, term, spare);
  });
  if (right !== undefined) {
    const output = labelsOf(node, right, right.includes('...') ? hidden : 0);
    const isRight = new Set(output).size === output.length && output.every((one) => inputs.flat().includes(one));
    if (!isRight) node.wrongAttribute('equation', 'each label of the output once, and in an input', equation);
    return [inputs, output];
  }
  // without an arrow: the ellipsis, then the letters that stand once, sorted
  const all = inputs.flat();
  const once = [...new Set(all)].filter((one) => /[a-zA-Z]/.test(one) && all.indexOf(one) === all.lastIndexOf(one));
  return [inputs, [...Array.from({ length: hidden }, (_, i) => `${hidden - 1 - i}`), ...once.sort()]];
}

/** The size of each label: that of every axis with it, but for axes of size 1 which are stretched. */
function sizesOf(node: OperatorNode, inputs: readonly Labels[], values: readonly Value[]): Map<string, number> {
  const sizes = new Map<string, number>();
  for (const [i, labels] of inputs.entries()) {
    for (const [axis, label] of labels.entries()) {
      const size = values[i]!.dims[axis]!;
      const known = sizes.get(label) ?? 1;
      if (known !== 1 && size !== 1 && size !== known) {
        node.wrongShape(`input ${i}`, `${known} along axis ${axis}`, values[i]!.dims);
      }
      sizes.set(label, known === 1 ? size : known);
    }
  }
  return sizes;
}

/** Orders the axes of a value by labels and joins them to `dims`; a label of more than one axis takes their diagonal. */
function arrange(
  node: OperatorNode,
  value: Value,
  own: Labels,
  labels: Labels,
  sizes: ReadonlyMap<string, number>,
  dims: readonly number[],
  plan: Builder,
): Value {
  const steps = strides(value.dims);
  const moves = labels.map((label) =>
    own.reduce((sum, one, axis) => (one === label && value.dims[axis] !== 1 ? sum + steps[axis]! : sum), 0),
  );
  const view = labels.map((label) => sizes.get(label)!);
  const isPlain = value.count === product(view) && moves.every((step, i) => view[i] === 1 || step === strides(view)[i]);
  if (isPlain) return value.withDims(dims);
  const out = plan.make(value.type, dims, node.path);
  plan.copy(value, 0, moves, out, view);
  return out;
}

export const einsum: Operator = {
  inputs: [1, Number.POSITIVE_INFINITY],
  since: 12,
  limits: 'more than two inputs',
  prepare(node) {
    const equation = node.has('equation') ? node.string('equation', '') : node.missing('attribute equation');
    if (node.present.length > 2) node.wrong('unsupported', 'number of inputs', '1 or 2', node.present.length);
    return (values, plan) => {
      const [a, b] = values as readonly [Value, Value | undefined];
      node.numbers('input 0', a);
      if (b && b.type !== a.type) node.wrongType('input 1', a.type, b.type);
      const given = b ? [a, b] : [a];
      const [[left, right = []], output] = parse(
        node,
        equation,
        given.map(({ dims }) => dims.length),
      ) as [[Labels, Labels?], Labels];
      const sizes = sizesOf(node, b ? [left, right] : [left], given);
      const sizeOf = (labels: Labels) => labels.map((label) => sizes.get(label)!);
      const dims = node.checkResult(sizeOf(output));
      const all = [...sizes.keys()];
      const summed = all.filter((label) => !output.includes(label));
      if (!b && summed.length === 0) return [arrange(node, a, left, output, sizes, dims, plan)];
      const outer = output.filter((label) => left.includes(label) && right.includes(label));
      const rows = output.filter((label) => !right.includes(label));
      const columns = output.filter((label) => !left.includes(label));
      const [B, M, N, K] = [outer, rows, columns, summed].map((labels) => product(sizeOf(labels))) as [
        number,
        number,
        number,
        number,
      ];
      node.checkResult([B, M, N, K]);
      const one =
        a.type === 'int64' ? BigInt64Array.of(1n) : a.type === 'int32' ? Int32Array.of(1) : Float32Array.of(1);
      const second = b ?? Value.of(a.type, [], one);
      const x = arrange(node, a, left, [...outer, ...rows, ...summed], sizes, [B, M, K], plan);
      const y = arrange(node, second, right, [...outer, ...summed, ...columns], sizes, [B, K, N], plan);
      const z = batched(node, x, y, plan);
      return [
        arrange(
          node,
          z.withDims(sizeOf([...outer, ...rows, ...columns])),
          [...outer, ...rows, ...columns],
          output,
          sizes,
          dims,
          plan,
        ),
      ];
    };
  },
};
