import { describe, shorten } from '../base/tensor.ts';
import { checkKernels } from '../cells/kernels.ts';
import { OPERATORS } from '../operators/operators.ts';
import {
  type InlinedNode,
  isGraph,
  type OnnxAttribute,
  type OnnxGraph,
  type OnnxModel,
  type OnnxNode,
} from './model.ts';
import { LONGEST, nodePath } from './node.ts';
import { refuse, refuseBecause, refuseMissing } from './refuse.ts';

// Checks a model before anything is computed: its operators, and how many inputs and outputs its nodes have.

/** The operator sets in which the meaning of every supported operator is known. */
const MIN_OPSET = 7;
const MAX_OPSET = 28;
/** The operators whose windows slide along one or two axes. */
const SLIDING: ReadonlySet<string> = new Set(['Conv', 'ConvInteger', 'ConvTranspose', 'MaxPool', 'AveragePool']);
/** The operators that run without lstm-onnx.wasm, but for isRare(). */
const PLAIN: ReadonlySet<string> = new Set([
  'LSTM',
  'MatMul',
  'Gemm',
  'Identity',
  'Constant',
  'Reshape',
  'Squeeze',
  'Unsqueeze',
  'Flatten',
  'Shape',
  'Dropout',
]);
/** The most nodes of one operator that an error names. */
const SHOWN = 3;
/** The most characters of a list with nodes. */
const ROOM = 400;

/** The graphs among the attributes of a node: branches of an If. */
export function subgraphs(node: OnnxNode): OnnxGraph[] {
  return [...node.attributes.values()].flat().filter((value) => isGraph(value as OnnxAttribute)) as OnnxGraph[];
}

/** The name of a node's operator, with its domain unless that is ONNX's own. */
export function keyOf({ domain, opType }: Pick<OnnxNode, 'domain' | 'opType'>): string {
  return domain ? `${domain}.${opType}` : opType;
}

/** The nodes and names on which outputs depend. */
export interface Needed {
  readonly nodes: ReadonlySet<OnnxNode>;
  readonly names: ReadonlySet<string>;
}

/** Finds the nodes on which outputs depend, those of branches included. */
export function neededFor(graph: OnnxGraph, outputs: readonly string[]): Needed {
  const nodes = new Set<OnnxNode>();
  const names = new Set(outputs);
  const visit = (inner: OnnxGraph): void => {
    for (let i = inner.nodes.length - 1; i >= 0; i--) {
      const node = inner.nodes[i]!;
      if (!node.outputs.some((name) => name && names.has(name))) continue;
      nodes.add(node);
      for (const name of node.inputs) names.add(name);
      for (const branch of subgraphs(node)) {
        for (const { name } of branch.outputs) names.add(name);
        visit(branch);
      }
    }
  };
  visit(graph);
  return { nodes, names };
}

/**
 * Checks the operator set and every node that is needed, those of branches included.
 * @returns the operator set
 * @throws ModelError that lists every unsupported operator with the names of its nodes
 * @throws Error if a node may need lstm-onnx.wasm where the engine compiles no bytes and none was given
 */
export function checkOperators({ opsets, graph }: OnnxModel, needed: ReadonlySet<OnnxNode>): number {
  const checkSet = (opset: number | undefined, path: string): number => {
    if (opset !== undefined && opset >= MIN_OPSET && opset <= MAX_OPSET) return opset;
    const expected = `an operator set of ONNX from ${MIN_OPSET} to ${MAX_OPSET}`;
    return refuse('unsupported', path, '', expected, opset);
  };
  const opset = checkSet(opsets.get(''), 'model.opset_import');
  const unsupported = new Map<string, string[]>();
  const add = (key: string, node: OnnxNode, at: string): void => {
    if (!unsupported.has(key)) unsupported.set(key, []);
    unsupported.get(key)!.push(node.name || node.outputs.find(Boolean) || at);
  };
  const visit = (inner: OnnxGraph, path: string): void => {
    for (const [i, node] of inner.nodes.entries()) {
      if (!needed.has(node)) continue;
      const at = `${path}.node[${i}]`;
      const operator = OPERATORS.get(keyOf(node));
      if (!operator || (operator.since ?? MIN_OPSET) > checkSet((node as InlinedNode).opset ?? opset, at)) {
        add(keyOf(node), node, at);
      } else if (SLIDING.has(node.opType) && ![1, 2].includes(spatialAxes(node, inner))) {
        add(`${node.opType} with ${spatialAxes(node, inner)} axes`, node, at);
      } else checkCounts(node, operator.inputs, operator.outputs ?? [1, 1], nodePath(node, path, i));
      for (const branch of subgraphs(node)) visit(branch, at);
    }
  };
  visit(graph, 'graph');
  if (unsupported.size === 0) {
    if (![...needed].every((node) => PLAIN.has(node.opType) && !isRare(node))) checkKernels();
    return opset;
  }
  const names = [...unsupported].map(([key, nodes]) => {
    const shown = nodes
      .slice(0, SHOWN)
      .map((node) => describe(shorten(node, LONGEST)))
      .join(', ');
    return `${describe(shorten(key, LONGEST)).slice(1, -1)} (${shown}${nodes.length > SHOWN ? ` and ${nodes.length - SHOWN} more` : ''})`;
  });
  const list = [...unsupported.keys()];
  const text = names.join('; ');
  // where the nodes would crowd out operators, operators alone
  const shown = text.length > ROOM ? list.map((key) => shorten(key, LONGEST)).join(', ') : text;
  const isRandom = list.some((key) => /^(Random|Multinomial|Bernoulli)/.test(key));
  const note = isRandom
    ? '; nothing is drawn at random here: name outputs that need no such node, or feed the numbers'
    : '';
  const reason = `operators that are not supported: ${shown}${note}`;
  return refuseBecause('unsupported', 'graph', reason, 'supported operators', list);
}

/** Tells whether a node of PLAIN needs them all the same: another order of elements or steps, or an LSTM's rarer forms. */
function isRare({ attributes, inputs }: OnnxNode): boolean {
  const { length } = ['layout', 'transA', 'activations', 'clip', 'input_forget'].filter((name) => attributes.get(name));
  // the eighth input of LSTM is its peepholes
  return length > 0 || (attributes.get('direction') ?? 'forward') !== 'forward' || Boolean(inputs[7]);
}

/** How many axes windows slide along, as its attributes or its weights tell; 1 if they do not. */
function spatialAxes({ inputs, attributes }: OnnxNode, { initializers }: OnnxGraph): number {
  const kernel = attributes.get('kernel_shape') ?? attributes.get('strides') ?? attributes.get('dilations');
  if (Array.isArray(kernel) && kernel.length) return kernel.length;
  const weights = initializers.get(inputs[1] ?? '');
  return weights ? Math.max(0, weights.dims.length - 2) : 1;
}

function checkCounts(
  { inputs, outputs }: OnnxNode,
  [minIn, maxIn]: readonly [number, number],
  [minOut, maxOut]: readonly [number, number],
  path: string,
): void {
  const check = (what: string, count: number, min: number, max: number) => {
    if (count >= min && count <= max) return;
    const expected = min === max ? `${min}` : max === Number.POSITIVE_INFINITY ? `at least ${min}` : `${min} to ${max}`;
    refuse('malformed', path, what, expected, count);
  };
  check('inputs', inputs.length, minIn, maxIn);
  check('outputs', outputs.length, minOut, maxOut);
  // where any number of inputs may be given, each has to be
  const needed = maxIn === Number.POSITIVE_INFINITY ? inputs.length : minIn;
  for (let i = 0; i < needed; i++) {
    if (inputs[i] === '') refuseMissing(path, `input ${i}`, '');
  }
}
