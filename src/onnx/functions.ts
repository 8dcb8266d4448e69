import { Budget } from '../files/budget.ts';
import { keyOf, subgraphs } from './check.ts';
import {
  type InlinedNode,
  isGraph,
  type OnnxAttribute,
  type OnnxFunction,
  type OnnxGraph,
  type OnnxModel,
  type OnnxNode,
} from './model.ts';
import { NODE_BYTES } from './read-model.ts';
import { refuse, refuseTwice } from './refuse.ts';

// Puts the nodes of functions in place of the nodes that call them: https://onnx.ai/onnx/repo-docs/IR.html#functions

/** The most calls inside one another. */
const MAX_DEPTH = 32;
/** A place in a Map. */
const PLACE_BYTES = 96;
/** The bytes that inlined nodes may take beside three times the file. */
const FREE_BYTES = 6 << 20;

/** Where nodes are copied from. */
interface Place {
  /** New names by those in the function. */
  readonly rename: (name: string) => string;
  readonly attributes: ReadonlyMap<string, OnnxAttribute>;
  readonly prefix: string;
  readonly opset: number | undefined;
  readonly depth: number;
}

/**
 * Inlines the functions of a model.
 * @throws ModelError where one calls itself, or where calls of calls become much more than the file
 */
export function inlineFunctions(model: OnnxModel, fileBytes: number): OnnxGraph {
  const { graph, functions } = model;
  if (functions.length === 0) return graph;
  const byKey = new Map<string, OnnxFunction>();
  for (const [i, one] of functions.entries()) {
    const key = keyOf({ domain: one.domain, opType: one.name });
    if (byKey.has(key)) refuseTwice(`function[${i}]`, 'function', key);
    byKey.set(key, one);
  }
  const budget = new Budget('onnx', fileBytes, FREE_BYTES);
  let calls = 0;

  function attribute(value: OnnxAttribute, place: Place): OnnxAttribute {
    const one = (each: unknown) => (isGraph(each as OnnxAttribute) ? inner(each as OnnxGraph, place) : each);
    // a list may be long, and is the same in every copy
    const isList = Array.isArray(value) && isGraph(value[0] as OnnxAttribute);
    return (isList ? value.map(one) : one(value)) as OnnxAttribute;
  }

  function inner({ name, nodes, initializers, inputs, outputs }: OnnxGraph, place: Place): OnnxGraph {
    budget.spend(NODE_BYTES * (initializers.size + inputs.length + outputs.length), name);
    const renamed = (list: OnnxGraph['inputs']) => list.map((info) => ({ ...info, name: place.rename(info.name) }));
    return {
      name,
      nodes: nodes.flatMap((node) => copies(node, place)),
      initializers: new Map([...initializers].map(([key, tensor]) => [place.rename(key), tensor])),
      inputs: renamed(inputs),
      outputs: renamed(outputs),
    };
  }

  function copies(node: OnnxNode, place: Place): InlinedNode[] {
    const called = byKey.get(keyOf(node));
    if (!called && place.depth === 0 && subgraphs(node).length === 0) return [node];
    const at = place.prefix + (node.name || node.outputs.find(Boolean) || node.opType);
    budget.spend(NODE_BYTES + 2 * at.length + PLACE_BYTES * node.attributes.size, at);
    const attributes = new Map<string, OnnxAttribute>();
    for (const [name, value] of node.attributes) {
      const isReference = typeof value === 'object' && 'reference' in value;
      const given = isReference ? place.attributes.get(value.reference) : attribute(value, place);
      if (given !== undefined) attributes.set(name, given);
    }
    const inputs = node.inputs.map(place.rename);
    const outputs = node.outputs.map(place.rename);
    const { opType, domain } = node;
    if (!called) return [{ opType, domain, name: at, inputs, outputs, attributes, opset: place.opset }];
    return body(called, { opType, domain, name: at, inputs, outputs, attributes }, place.depth + 1);
  }

  function body(called: OnnxFunction, call: OnnxNode, depth: number): InlinedNode[] {
    if (depth > MAX_DEPTH) refuse('malformed', call.name, 'calls inside one another', `at most ${MAX_DEPTH}`, 'more');
    const check = (what: string, found: number, most: number) => {
      if (found > most) refuse('malformed', call.name, what, `at most ${most}`, found);
    };
    check('inputs', call.inputs.length, called.inputs.length);
    check('outputs', call.outputs.length, called.outputs.length);
    const prefix = `${call.name}/`;
    const own = `${prefix}${calls++}/`;
    const names = new Map([['', '']]);
    for (const [i, name] of called.inputs.entries()) names.set(name, call.inputs[i] ?? '');
    const passed: InlinedNode[] = [];
    for (const [i, name] of called.outputs.entries()) {
      const output = call.outputs[i];
      if (!output) continue;
      if (!names.has(name)) names.set(name, output);
      else {
        const inputs = [names.get(name)!];
        passed.push({ ...call, opType: 'Identity', domain: '', inputs, outputs: [output], attributes: new Map() });
      }
    }
    const place = {
      rename: (name: string) => {
        const known = names.get(name);
        if (known !== undefined) return known;
        budget.spend(PLACE_BYTES + 2 * (own.length + name.length), call.name);
        names.set(name, own + name);
        return own + name;
      },
      attributes: new Map([...called.attributes, ...call.attributes]),
      prefix,
      opset: called.opsets.get(''),
      depth,
    };
    return [...called.nodes.flatMap((node) => copies(node, place)), ...passed];
  }

  return inner(graph, {
    rename: (name) => name,
    attributes: new Map(),
    prefix: '',
    opset: undefined,
    depth: 0,
  });
}
