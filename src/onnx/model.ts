import type { OnnxTensor } from './tensor.ts';

/** An ONNX file as parseOnnx() reads it: ModelProto of https://onnx.ai/onnx/repo-docs/IR.html. */
export interface OnnxModel {
  /** The version of the file format, such as 8. */
  readonly irVersion: number;
  /** Versions of operator sets by domain; '' is ONNX's own. */
  readonly opsets: ReadonlyMap<string, number>;
  /** The program that wrote the file, such as 'pytorch 2.9.1'; '' if the file does not say. */
  readonly producer: string;
  /** The main graph. */
  readonly graph: OnnxGraph;
  /** Functions of the model's own, which loadOnnx() puts in place of the nodes that call them. */
  readonly functions: readonly OnnxFunction[];
}

/** A function of a model: an operator that the file itself defines by nodes. */
export interface OnnxFunction {
  /** The operator of the nodes that call it; with an overload `name:overload`. */
  readonly name: string;
  /** The domain of these nodes. */
  readonly domain: string;
  /** Versions of operator sets by domain, for its nodes. */
  readonly opsets: ReadonlyMap<string, number>;
  /** Names of the inputs in the nodes below; a call may leave out the last ones. */
  readonly inputs: readonly string[];
  /** Names of the outputs. */
  readonly outputs: readonly string[];
  /** Attributes where a call does not give them. */
  readonly attributes: ReadonlyMap<string, OnnxAttribute>;
  /** The nodes in the order of computation. */
  readonly nodes: readonly OnnxNode[];
}

/** A graph of a file: the main one, a branch of an If, or the body of a Loop or Scan. */
export interface OnnxGraph {
  /** The graph's name; '' if it has none. */
  readonly name: string;
  /** The nodes in the order of computation. */
  readonly nodes: readonly OnnxNode[];
  /** Constant tensors by name: the weights. */
  readonly initializers: ReadonlyMap<string, OnnxTensor>;
  /** The inputs; in old files also those that an initializer gives a value. */
  readonly inputs: readonly OnnxValueInfo[];
  /** The outputs. */
  readonly outputs: readonly OnnxValueInfo[];
}

/** An input or output of a graph. */
export interface OnnxValueInfo {
  /** The name by which nodes read or write it. */
  readonly name: string;
  /** 'float32', 'int64' ..., as onnxruntime spells it; undefined if it is not a tensor, or the file does not say. */
  readonly type: string | undefined;
  /** A number is a size, a string the name of a symbolic size ('' without a name); undefined if the file does not say. */
  readonly dims: readonly (number | string)[] | undefined;
}

/** A node of a graph: an operator with its inputs, outputs and attributes. */
export interface OnnxNode {
  /** The operator, such as 'LSTM'. */
  readonly opType: string;
  /** The domain of the operator; '' for ONNX's own. */
  readonly domain: string;
  /** The node's name; '' if it has none. */
  readonly name: string;
  /** Names of the inputs; '' where an optional one is left out. */
  readonly inputs: readonly string[];
  /** Names of the outputs; '' where an optional one is left out. */
  readonly outputs: readonly string[];
  /** The attributes that the file gives; operators define the others' defaults. */
  readonly attributes: ReadonlyMap<string, OnnxAttribute>;
}

/** A node of a function in place of a call, whose operator set may be another than the model's. */
export interface InlinedNode extends OnnxNode {
  readonly opset?: number | undefined;
}

/** An attribute of a node. Integers beyond 2^53 are bigints. */
export type OnnxAttribute =
  | number
  | bigint
  | string
  | OnnxTensor
  | OnnxGraph
  | (number | bigint)[]
  | string[]
  | OnnxTensor[]
  | OnnxGraph[]
  | OnnxReference;

/** In a function: the attribute of this name of the node that calls it. */
export interface OnnxReference {
  /** The attribute's name. */
  readonly reference: string;
}

export function isGraph(value: OnnxAttribute | undefined): value is OnnxGraph {
  return typeof value === 'object' && 'nodes' in value;
}
