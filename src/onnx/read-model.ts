import { describe } from '../base/tensor.ts';
import { Budget } from '../files/budget.ts';
import { typeName } from './data-types.ts';
import type { ExternalFiles } from './external.ts';
import type { OnnxAttribute, OnnxFunction, OnnxGraph, OnnxModel, OnnxNode, OnnxValueInfo } from './model.ts';
import { ProtobufReader } from './protobuf.ts';
import { refuse, refuseBecause, refuseMissing, refuseSecond, refuseTwice } from './refuse.ts';
import { MAX_FILE_RANK, type OnnxTensor, readTensor } from './tensor.ts';

// Bytes counted for each thing beside its strings and tensors, so that a file of countless empty entries is refused.
export const NODE_BYTES = 196;
const ATTRIBUTE_BYTES = 300;
const VALUE_BYTES = 300;
/** A list that grows is copied. */
const ENTRY_BYTES = 40;
/** One of the first names of a node. */
const NAME_BYTES = 8;
const FEW_NAMES = 8;
/** More than other readers take, so that 32,000 nodes of 40 bytes are read: what is counted for a node is near what it takes. */
const FREE_BYTES = 6 << 20;

/**
 * Reads a ModelProto.
 * @throws ModelError that names the place where the file breaks the format's rules
 */
export function readModel(file: Uint8Array, external: ExternalFiles): OnnxModel {
  const reader = new ProtobufReader(file, new Budget('onnx', file.length, FREE_BYTES), external);
  let irVersion: number | undefined;
  let producer = '';
  let version = '';
  let graph: OnnxGraph | undefined;
  const opsets = new Map<string, number>();
  const functions: OnnxFunction[] = [];
  if (file.length === 0) refuseBecause('truncated', 'model', 'expected a ModelProto, got no byte', 'a ModelProto', 0);
  reader.message('model', (field) => {
    if (field === 1) irVersion = reader.size('an IR version', 1000);
    else if (field === 2) producer = reader.string();
    else if (field === 3) version = reader.string();
    else if (field === 7) {
      if (graph) refuseSecond('model.graph', 'graph');
      graph = readGraph(reader, 'graph');
    } else if (field === 8) readOpset(reader, opsets, 'model');
    else if (field === 25) functions.push(readFunction(reader, `function[${functions.length}]`));
  });
  if (!graph) refuseMissing('model.graph', 'a graph');
  if (irVersion === undefined) refuseMissing('model.ir_version', 'a version');
  if (opsets.size === 0) refuseBecause('missing', 'model.opset_import', 'expected an operator set, got none', 'one', 0);
  return { irVersion, opsets, producer: version ? `${producer} ${version}` : producer, graph, functions };
}

function readOpset(reader: ProtobufReader, opsets: Map<string, number>, owner: string): void {
  const path = `${owner}.opset_import`;
  let domain = '';
  let version = 0;
  reader.nested(path, (field) => {
    if (field === 1) domain = reader.string();
    else if (field === 2) version = reader.size('a version', 2 ** 31 - 1);
  });
  // the long name of ONNX's own domain
  const key = domain === 'ai.onnx' ? '' : domain;
  if (opsets.has(key)) refuseTwice(path, 'domain', domain);
  opsets.set(key, version);
}

/** Reads the FunctionProto that the current field holds. */
function readFunction(reader: ProtobufReader, path: string): OnnxFunction {
  reader.budget.spend(VALUE_BYTES, path);
  let name = '';
  let overload = '';
  let domain = '';
  const opsets = new Map<string, number>();
  const inputs: string[] = [];
  const outputs: string[] = [];
  const attributes = new Map<string, OnnxAttribute>();
  const nodes: OnnxNode[] = [];
  const push = (list: string[]) => {
    reader.budget.spend(ENTRY_BYTES, path);
    list.push(reader.string());
  };
  reader.inFunction = true;
  reader.nested(path, (field) => {
    if (field === 1) name = reader.string();
    else if (field === 4) push(inputs);
    else if (field === 5) push(outputs);
    else if (field === 7) nodes.push(readNode(reader, `${path}.node[${nodes.length}]`));
    else if (field === 9) readOpset(reader, opsets, path);
    else if (field === 10) domain = reader.string();
    else if (field === 11) readAttribute(reader, `${path}.attribute_proto[${attributes.size}]`, attributes);
    else if (field === 13) overload = reader.string();
  });
  reader.inFunction = false;
  if (name === '') refuseMissing(path, 'a name', '');
  if (overload) name += `:${overload}`;
  return { name, domain: domain === 'ai.onnx' ? '' : domain, opsets, inputs, outputs, attributes, nodes };
}

/** Reads the GraphProto that the current field holds. */
function readGraph(reader: ProtobufReader, path: string): OnnxGraph {
  let name = '';
  const nodes: OnnxNode[] = [];
  const initializers = new Map<string, OnnxTensor>();
  const inputs: OnnxValueInfo[] = [];
  const outputs: OnnxValueInfo[] = [];
  reader.nested(path, (field) => {
    if (field === 1) nodes.push(readNode(reader, `${path}.node[${nodes.length}]`));
    else if (field === 2) name = reader.string();
    else if (field === 5) {
      const at = `${path}.initializer[${initializers.size}]`;
      const tensor = readTensor(reader, at);
      if (tensor.name === '') refuseMissing(at, 'a name', '');
      if (initializers.has(tensor.name)) refuseTwice(at, 'name', tensor.name);
      initializers.set(tensor.name, tensor);
    } else if (field === 11) inputs.push(readValueInfo(reader, `${path}.input[${inputs.length}]`));
    else if (field === 12) outputs.push(readValueInfo(reader, `${path}.output[${outputs.length}]`));
    else if (field === 15) refuse('unsupported', `${path}.sparse_initializer`, '', 'dense tensors', 'a sparse one');
  });
  return { name, nodes, initializers, inputs, outputs };
}

function readNode(reader: ProtobufReader, path: string): OnnxNode {
  reader.budget.spend(NODE_BYTES, path);
  const node = { opType: '', domain: '', name: '', inputs: [] as string[], outputs: [] as string[] };
  const name = () => {
    const isFew = node.inputs.length + node.outputs.length < FEW_NAMES;
    reader.budget.spend(isFew ? NAME_BYTES : ENTRY_BYTES, path);
    return reader.string();
  };
  let attributes: Map<string, OnnxAttribute> | undefined;
  let overload = '';
  reader.nested(path, (field) => {
    if (field === 1) node.inputs.push(name());
    else if (field === 2) node.outputs.push(name());
    else if (field === 3) node.name = reader.string(true);
    else if (field === 4) node.opType = reader.string();
    else if (field === 5) {
      attributes ??= new Map();
      readAttribute(reader, `${path}.attribute[${attributes.size}]`, attributes);
    } else if (field === 7) node.domain = reader.string();
    else if (field === 8) overload = reader.string();
  });
  if (node.opType === '') refuseMissing(path, 'op_type', '');
  if (overload) node.opType += `:${overload}`;
  if (node.domain === 'ai.onnx') node.domain = '';
  const { opType, domain, inputs, outputs } = node;
  // Lists that were pushed to have room for more, and thousands of empty Maps would be much. An object that is spread from another
  // has a hidden class of its own, of half a kilobyte.
  return {
    opType,
    domain,
    name: node.name,
    inputs: inputs.slice(),
    outputs: outputs.slice(),
    attributes: attributes ?? reader.empty,
  };
}

// AttributeProto.AttributeType
const FLOAT = 1;
const INT = 2;
const STRING = 3;
const TENSOR = 4;
const GRAPH = 5;
const FLOATS = 6;
const INTS = 7;
const STRINGS = 8;
const TENSORS = 9;
const GRAPHS = 10;

/** The attribute type of each field's values, for files of early IR versions, which do not state it. */
const FIELD_TYPES: ReadonlyMap<number, number> = new Map([
  [2, FLOAT],
  [3, INT],
  [4, STRING],
  [5, TENSOR],
  [6, GRAPH],
  [7, FLOATS],
  [8, INTS],
  [9, STRINGS],
  [10, TENSORS],
  [11, GRAPHS],
]);

function readAttribute(reader: ProtobufReader, path: string, attributes: Map<string, OnnxAttribute>): void {
  reader.budget.spend(ATTRIBUTE_BYTES, path);
  let name = '';
  let reference = '';
  let declared = 0;
  /** Values by attribute type. proto3 leaves out a number that is 0. */
  const values = new Map<number, OnnxAttribute>();
  const list = <T>(type: number): T[] => {
    if (!values.has(type)) values.set(type, []);
    reader.budget.spend(ENTRY_BYTES, path);
    return values.get(type) as T[];
  };
  const once = (type: number): void => {
    if (values.has(type)) refuseSecond(path, 'value');
  };
  reader.nested(path, (field) => {
    const type = FIELD_TYPES.get(field) ?? 0;
    if (field === 1) name = reader.string();
    else if (field === 20) declared = reader.size('an attribute type', 255);
    else if (field === 21) {
      if (!reader.inFunction) refuse('malformed', path, '', 'a value', 'ref_attr_name');
      reference = reader.string();
    } else if (type === FLOAT) values.set(FLOAT, reader.float());
    else if (type === INT) values.set(INT, reader.integer());
    else if (type === STRING) values.set(STRING, reader.string());
    else if (type === TENSOR) {
      once(TENSOR);
      values.set(TENSOR, readTensor(reader, `${path}.t`));
    } else if (type === GRAPH) {
      once(GRAPH);
      values.set(GRAPH, readGraph(reader, `${path}.g`));
    } else if (type === FLOATS) {
      const { start, end } = reader.fixed(4);
      const view = new DataView(reader.file.buffer, reader.file.byteOffset + start, end - start);
      for (let at = 0; at < end - start; at += 4) list<number>(FLOATS).push(view.getFloat32(at, true));
      if (start === end) list(FLOATS);
    } else if (type === INTS) {
      list(INTS);
      reader.integers((value) => list<number | bigint>(INTS).push(value));
    } else if (type === STRINGS) list<string>(STRINGS).push(reader.string());
    else if (type === TENSORS) list<OnnxTensor>(TENSORS).push(readTensor(reader, `${path}.tensors`));
    else if (type === GRAPHS) list<OnnxGraph>(GRAPHS).push(readGraph(reader, `${path}.graphs`));
  });
  if (name === '') refuseMissing(path, 'a name', '');
  if (attributes.has(name)) refuseTwice(path, 'name', name);
  attributes.set(name, reference ? { reference } : attributeValue(path, name, declared, values));
}

function attributeValue(
  path: string,
  name: string,
  declared: number,
  values: Map<number, OnnxAttribute>,
): OnnxAttribute {
  if (values.size > 1) refuse('malformed', path, `values of attribute ${describe(name)}`, 1, values.size);
  const [type = declared] = values.keys();
  if (declared && declared !== type) {
    refuse('malformed', path, `type of attribute ${describe(name)}`, declared, type);
  }
  const value = values.get(type);
  if (value !== undefined) return value;
  if (type === FLOAT || type === INT) return 0;
  if (type === STRING) return '';
  if (type >= FLOATS && type <= GRAPHS) return [];
  const reason = `attribute ${describe(name)} expected a value, got type ${type}`;
  return refuseBecause('unsupported', path, reason, 'a value', type);
}

/** Reads a ValueInfoProto; skips the type of a sequence, a map or an optional. */
function readValueInfo(reader: ProtobufReader, path: string): OnnxValueInfo {
  reader.budget.spend(VALUE_BYTES, path);
  let name = '';
  let type: string | undefined;
  let dims: (number | string)[] | undefined;
  reader.nested(path, (field) => {
    if (field === 1) name = reader.string();
    else if (field === 2) {
      reader.nested(`${path}.type`, (kind) => {
        if (kind !== 1) return;
        reader.nested(`${path}.type.tensor_type`, (part) => {
          if (part === 1) type = typeName(reader.size('a data type', 255));
          else if (part === 2) dims = readShape(reader, `${path}.type.tensor_type.shape`);
        });
      });
    }
  });
  if (name === '') refuseMissing(path, 'a name', '');
  return { name, type, dims };
}

function readShape(reader: ProtobufReader, path: string): (number | string)[] {
  const dims: (number | string)[] = [];
  reader.nested(path, (field) => {
    if (field !== 1) return;
    if (dims.length >= MAX_FILE_RANK) {
      refuseBecause('out-of-range', path, `expected at most ${MAX_FILE_RANK} dims, got more`, MAX_FILE_RANK, 'more');
    }
    let size: number | string = '';
    reader.nested(path, (part) => {
      if (part === 1) size = reader.size('a size', 2 ** 31 - 1);
      else if (part === 2) size = reader.string();
    });
    dims.push(size);
  });
  return dims;
}
