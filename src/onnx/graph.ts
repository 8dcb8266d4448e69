import { ModelError } from '../base/errors.ts';
import { describe } from '../base/tensor.ts';
import { Builder } from '../graph/builder.ts';
import { type Graph, type GraphDraft, type Operand, withLast } from '../graph/graph.ts';
import type { Value } from '../graph/value.ts';
import { readRepeat } from '../operators/loop.ts';
import type { LSTMReport } from '../operators/lstm-report.ts';
import { inOrder, type Lower, type Making } from '../operators/node.ts';
import { OPERATORS } from '../operators/operators.ts';
import { type Owned, Packing } from '../operators/packing.ts';
import { TooMuch, Work } from '../operators/value.ts';
import { checkOperators, keyOf, type Needed, subgraphs } from './check.ts';
import { isGraph, type OnnxGraph, type OnnxModel, type OnnxNode } from './model.ts';
import { nodePath, OnnxOperatorNode } from './node.ts';
import { onnxRefusal, refuse, refuseBecause, refuseTwice } from './refuse.ts';
import type { OnnxTensor } from './tensor.ts';
import { computedType, toValue } from './to-value.ts';

// Makes a model ready to be planned, once: names become slots, constants are computed, weights are packed.

/** The meaning of a name in a graph: a slot of the run, or else a value or tensor known at load. */
interface Binding {
  slot: number;
  value: Value | undefined;
  tensor: OnnxTensor | undefined;
}

/** The names of a graph and, through `outer`, of the graphs around it. */
class Scope {
  private readonly _outer: Scope | undefined;
  private readonly _entries = new Map<string, Binding>();
  private readonly _path: string;

  constructor(path: string, outer?: Scope) {
    this._path = path;
    this._outer = outer;
  }

  find(name: string): Binding | undefined {
    return this._entries.get(name) ?? this._outer?.find(name);
  }

  define(name: string, entry: Binding, hides = false): void {
    // a name of an outer graph may be given again by an initializer, but not by a node
    if (hides ? this._entries.has(name) : this.find(name)) {
      refuseTwice(this._path, 'name', name);
    }
    this._entries.set(name, entry);
  }
}

/** Turns the graphs of a model into graphs of steps. */
export class Compiler {
  /** Memory of the nodes, to be disposed of with the model. */
  readonly resources: Owned[] = [];
  readonly lstms: LSTMReport[] = [];
  slots = 0;
  private readonly _needed: Needed;
  private readonly _packing: Packing;
  private readonly _making: Making;
  /** Counts the work of constants that are computed at load. */
  private readonly _folding: Builder;
  /** How often each name will still be read, so that a constant is dropped after its last reader. */
  private readonly _uses = new Map<string, number>();
  /** Constants whose last reader is the node that is being made ready. */
  private readonly _last: Value[] = [];
  /** How many elements the tensors read from the file have. */
  constants = 0;

  /** @param int8 whether constant matrices get 8-bit weights */
  constructor(model: OnnxModel, needed: Needed, fileBytes: number, int8: boolean) {
    this._needed = needed;
    const opset = checkOperators(model, needed.nodes);
    const work = new Work(onnxRefusal, fileBytes / 2 + 2 ** 18, 2 ** 22, () => {
      throw new TooMuch();
    });
    this._folding = new Builder(work);
    this._folding.immediate = true;
    this._packing = new Packing(fileBytes);
    this._making = { opset, own: (resource) => void this.resources.push(resource), packing: this._packing, int8 };
    this._count(model.graph);
  }

  /** Compiles the main graph; `inputs` become its first slots. */
  compile(graph: OnnxGraph, inputs: readonly string[]): Graph {
    const scope = new Scope('graph');
    for (const name of inputs) scope.define(name, this._slot());
    try {
      return this._graph(graph, scope, 'graph', true);
    } finally {
      this._packing.seal();
    }
  }

  private _slot(): Binding {
    return { slot: this.slots++, value: undefined, tensor: undefined };
  }

  private _count(graph: OnnxGraph): void {
    const count = (name: string) => this._uses.set(name, (this._uses.get(name) ?? 0) + 1);
    for (const node of graph.nodes) {
      if (!this._needed.nodes.has(node)) continue;
      node.inputs.forEach(count);
      for (const branch of subgraphs(node)) this._count(branch);
    }
    for (const { name } of graph.outputs) if (this._needed.names.has(name)) count(name);
  }

  /** Reads a name once: its slot, or its value if it is known. */
  private _read(scope: Scope, name: string, path: string): Operand {
    if (name === '') return undefined;
    const entry = scope.find(name);
    if (!entry) {
      const reason = `expected an input that was computed before, got ${describe(name)}`;
      return refuseBecause('missing', path, reason, 'a name', name);
    }
    if (entry.tensor) {
      entry.value = toValue(entry.tensor, `${path}: ${describe(name)}`);
      entry.tensor = undefined;
      this.constants += entry.value.data.length;
      this._packing.hold(entry.value.data);
    }
    const left = this._uses.get(name)! - 1;
    this._uses.set(name, left);
    const { value, slot } = entry;
    if (left === 0) entry.value = undefined;
    if (left === 0 && value) this._last.push(value);
    return value ?? (slot >= 0 ? slot : refuse('missing', path, describe(name), 'a value', name));
  }

  /** Uncounts constants that the last step was the last to read and does not keep. */
  private _giveBack(step: GraphDraft | undefined): void {
    for (const { data } of this._last.splice(0)) {
      const isKept = step?.operands.some((operand) => typeof operand === 'object' && operand.data === data);
      if (!isKept) this._packing.drop(data);
    }
  }

  private _graph(graph: OnnxGraph, scope: Scope, path: string, main: boolean): Graph {
    for (const [name, tensor] of graph.initializers) scope.define(name, { slot: -1, value: undefined, tensor }, true);
    const steps: GraphDraft[] = [];
    for (const [i, node] of graph.nodes.entries()) {
      if (!this._needed.nodes.has(node)) continue;
      const step = this._node(node, scope, path, i, main);
      this._giveBack(step);
      if (step) steps.push(step);
    }
    const outputs = graph.outputs.map(({ name }, i) =>
      this._needed.names.has(name) ? this._read(scope, name, `${path}.output[${i}]`) : undefined,
    );
    return { steps: withLast(steps, outputs), outputs };
  }

  private _node(node: OnnxNode, scope: Scope, graph: string, index: number, main: boolean): GraphDraft | undefined {
    const path = nodePath(node, graph, index);
    const operands = node.inputs.map((name) => this._read(scope, name, path));
    if (node.domain === '' && node.opType === 'If') return this._branch(node, operands, scope, path);
    if (node.domain === '' && (node.opType === 'Loop' || node.opType === 'Scan')) {
      return this._repeat(node, operands, scope, graph, index);
    }
    const operator = OPERATORS.get(keyOf(node))!;
    const constants = operands.map((operand) => (typeof operand === 'object' ? operand : undefined));
    const isConstant = operands.every((operand) => typeof operand !== 'number');
    // a wrong node of a branch fails when the branch is taken, which may never happen
    const deferred = (error: unknown): GraphDraft => {
      if (main || !(error instanceof ModelError)) throw error;
      const lower = (): never => {
        throw error;
      };
      return {
        place: { path },
        operands: [],
        targets: this._define(node, scope),
        lower,
        branches: undefined,
        repeat: undefined,
      };
    };
    const made = this.resources.length;
    let lower: Lower;
    const ready = new OnnxOperatorNode(node, graph, index, constants, this._making);
    try {
      lower = inOrder(operator, operator.prepare(ready));
      if (isConstant && this._fold(node, lower, ready.constants, scope)) {
        for (const resource of this.resources.splice(made)) resource.dispose();
        return undefined;
      }
      if (ready.report) this.lstms.push(ready.report);
    } catch (error) {
      for (const resource of this.resources.splice(made)) resource.dispose();
      return deferred(error);
    }
    const kept = operands.map((operand, i) => (typeof operand === 'number' ? operand : ready.constants[i]));
    ready.seal();
    return {
      place: ready,
      operands: kept,
      targets: this._define(node, scope),
      lower,
      branches: undefined,
      repeat: undefined,
    };
  }

  /** Computes a node's results at load. @returns false if that is too much work: the node then runs each time */
  private _fold(node: OnnxNode, lower: Lower, constants: readonly (Value | undefined)[], scope: Scope): boolean {
    let values: readonly Value[];
    try {
      values = lower(constants, this._folding);
    } catch (error) {
      if (error instanceof TooMuch) return false;
      throw error;
    }
    for (const [i, name] of node.outputs.entries()) {
      if (name === '') continue;
      const value = this._uses.get(name) ? values[i] && this._folding.plain(values[i]) : undefined;
      // a view of a constant is counted again: it may outlive it
      if (value) this._packing.hold(value.data);
      scope.define(name, { slot: -1, value, tensor: undefined });
    }
    return true;
  }

  private _define(node: OnnxNode, scope: Scope): number[] {
    return node.outputs.map((name) => {
      if (name === '') return -1;
      const entry = this._slot();
      scope.define(name, entry);
      return this._uses.get(name) ? entry.slot : -1;
    });
  }

  private _branch(node: OnnxNode, operands: readonly Operand[], scope: Scope, path: string): GraphDraft {
    const [yes, no] = ['then_branch', 'else_branch'].map((name) => {
      const graph = node.attributes.get(name);
      if (!isGraph(graph)) {
        return refuse('missing', path, `attribute ${name}`, 'a graph', graph);
      }
      if (graph.inputs.length || graph.outputs.length !== node.outputs.length) {
        const expected = `no inputs and ${node.outputs.length} outputs`;
        const found = `${graph.inputs.length} and ${graph.outputs.length}`;
        return refuse('malformed', path, name, expected, found);
      }
      const inner = `${path}.${name}`;
      return this._graph(graph, new Scope(inner, scope), inner, false);
    }) as [Graph, Graph];
    const lower = checkCondition(path);
    return {
      place: { path },
      operands,
      targets: this._define(node, scope),
      lower,
      branches: [yes, no],
      repeat: undefined,
    };
  }

  private _repeat(
    node: OnnxNode,
    operands: readonly Operand[],
    scope: Scope,
    graphPath: string,
    index: number,
  ): GraphDraft {
    const place = new OnnxOperatorNode(node, graphPath, index, [], this._making);
    const { path } = place;
    const graph = node.attributes.get('body');
    if (!isGraph(graph)) return refuse('missing', path, 'attribute body', 'a graph', graph);
    const inner = new Scope(`${path}.body`, scope);
    const slots = graph.inputs.map(({ name }) => {
      const entry = this._slot();
      inner.define(name, entry, true);
      return entry.slot;
    });
    const outputs = graph.outputs.map(({ type = '', dims = [] }) => ({
      type: computedType(type) ?? 'float32',
      dims: dims.map((size) => (typeof size === 'number' ? size : 0)),
    }));
    const repeat = readRepeat(place, node.inputs.length, { slots, outputs });
    const body = this._graph(graph, inner, `${path}.body`, false);
    place.seal();
    return { place, operands, targets: this._define(node, scope), lower: checkRepeat(place), branches: [body], repeat };
  }
}

/** Checks the condition of a Loop, and that all other inputs are given. */
function checkRepeat(node: OnnxOperatorNode): Lower {
  const first = node.opType === 'Loop' ? 2 : 0;
  return (inputs) => {
    if (first && inputs[1]) node.checkScalar('condition', inputs[1], 'bool');
    for (let i = first; i < inputs.length; i++) if (!inputs[i]) node.missing(`input ${i}`);
    return [];
  };
}

function checkCondition(path: string): Lower {
  return ([condition]) => {
    const { type, count } = condition!;
    if (type !== 'bool' || count !== 1) {
      const reason = `the condition expected one bool, got ${count} of ${type}`;
      refuseBecause('wrong-type', path, reason, 'one bool', type);
    }
    return [];
  };
}
