import { describe, shorten } from '../base/tensor.ts';
import type { Value } from '../graph/value.ts';
import { type Making, OperatorNode } from '../operators/node.ts';
import type { Refusal } from '../operators/value.ts';
import type { InlinedNode, OnnxAttribute, OnnxNode } from './model.ts';
import { onnxRefusal } from './refuse.ts';
import { OnnxTensor } from './tensor.ts';
import { toValue } from './to-value.ts';

/** The most characters of an operator's name in a path. */
export const LONGEST = 60;

/** The name of a node in errors: its own, or its place in the file. */
export function nodePath({ opType, name }: OnnxNode, graph: string, index: number): string {
  const type = shorten(opType, LONGEST);
  return name ? `node ${describe(name)} (${type})` : `${graph}.node[${index}] (${type})`;
}

/** A node of a file. */
export class OnnxOperatorNode extends OperatorNode {
  private readonly _node: OnnxNode;
  private readonly _graph: string;
  private readonly _index: number;

  /** @param graph the path of the graph that has the node at place `index` */
  constructor(node: OnnxNode, graph: string, index: number, constants: (Value | undefined)[], making: Making) {
    super(
      constants,
      constants.some((value, i) => node.inputs[i] !== '' && !value),
      (node as InlinedNode).opset ? { ...making, opset: (node as InlinedNode).opset! } : making,
    );
    this._node = node;
    this._graph = graph;
    this._index = index;
  }

  get opType(): string {
    return this._node.opType;
  }

  get name(): string {
    return this._node.name || (this._node.outputs.find(Boolean) ?? '');
  }

  get path(): string {
    return nodePath(this._node, this._graph, this._index);
  }

  get outputs(): readonly string[] {
    return this._node.outputs;
  }

  get present(): readonly boolean[] {
    return this._node.inputs.map((name) => name !== '');
  }

  protected get refusal(): Refusal {
    return onnxRefusal;
  }

  protected attribute(name: string): OnnxAttribute | undefined {
    return this._node.attributes.get(name);
  }

  tensor(name: string): Value | undefined {
    const value = this.attribute(name);
    if (value === undefined) return undefined;
    return value instanceof OnnxTensor ? toValue(value, this.path) : this.wrongKind(name, 'a tensor');
  }
}
