import type { OnnxGraph, OnnxModel, OnnxNode, OnnxTensor } from 'lstm-wasm/onnx';
import type { FoundLstm } from '../../../../../src/cli/model.ts';
import type { Content } from '../types.ts';
import type { OpenedModel } from './open.ts';
import { shown } from './trouble.ts';

// What is in a file, a line a layer with the numbers that it has.

/** The most lines that the page shows. */
const MOST = 200;

export interface Contents {
  readonly rows: Content[];
  readonly more: number;
}

/** Lists layers, or tensors of files that have no layers. */
export async function contentsOf(opened: OpenedModel): Promise<Contents> {
  const found = opened.model.format === 'ONNX' ? await onnxRows(opened) : detailRows(opened);
  const rows = found.map((row) => withSizes(row, opened.model.lstms));
  return { rows: rows.slice(0, MOST), more: Math.max(0, rows.length - MOST) };
}

/** How many ids every embedding knows: a Gather of a matrix that an ONNX file has, or an Embedding of Keras. */
export function wordsOf(rows: readonly Content[]): number | undefined {
  const sizes = rows.flatMap(({ text }) => text.match(/^(?:Gather|Embedding) (\d+)→/)?.[1] ?? []);
  return sizes.length ? Math.min(...sizes.map(Number)) : undefined;
}

const short = (name: string) => shown(name, 120);
const product = (dims: readonly number[]) => dims.reduce((a, b) => a * b, 1);

/** Weights of an LSTM that other nodes make of constants are not to be seen in the file's graph, but in the LSTM's report. */
function withSizes(row: Content, lstms: readonly FoundLstm[]): Content {
  const weights = row.numbers === 0 ? lstms.find(({ name }) => name === row.lstm)?.weights : undefined;
  if (!weights) return row;
  const tensors = new Map(weights instanceof Map ? weights : Object.entries(weights)) as Map<
    string,
    { dims: readonly number[] }
  >;
  const [rows, inputs] = (tensors.get('weight_ih_l0')?.dims ?? []) as [number, number];
  const numbers = [...tensors.values()].reduce((sum, { dims }) => sum + product(dims), 0);
  return { ...row, text: `LSTM(${inputs}, ${rows / 4})`, numbers };
}

interface Details {
  readonly layers?: readonly {
    readonly name?: string;
    readonly layer: string;
    readonly weights: Readonly<Record<string, readonly number[]>>;
  }[];
  readonly tensors?: readonly { readonly name: string; readonly type: string; readonly dims: readonly number[] }[];
}

function detailRows({ model }: OpenedModel): Content[] {
  const { layers, tensors = [] } = model.details as Details;
  let lstms = 0;
  if (layers) {
    return layers.map(({ name, layer, weights }) => {
      const shapes = Object.values(weights);
      const known =
        model.lstms.find((each) => each.name === name) ??
        (layer === 'LSTM' && !name ? model.lstms[lstms++] : undefined);
      return {
        text: short(layerText(layer, shapes, name === undefined)),
        name: short(name ?? known?.name ?? ''),
        numbers: shapes.reduce((sum, dims) => sum + product(dims), 0),
        ...(known ? { lstm: known.name } : {}),
      };
    });
  }
  return [
    ...moduleRows(
      tensors,
      model.lstms.map(({ name }) => name),
    ),
  ];
}

/** "Dense 64→3"; weights of Keras are [in, out], those of PyTorch [out, in]. */
function layerText(layer: string, shapes: readonly (readonly number[])[], isTorch: boolean): string {
  const matrix = shapes.find(({ length }) => length >= 2);
  if (!matrix) return layer;
  const [first, last] = [matrix[0]!, matrix.at(-1)!];
  if (/LSTM|GRU|RNN|Bidirectional/.test(layer)) {
    // the matrix after the first one takes the layer's own outputs: it has a row, in PyTorch a column, for each unit
    const recurrent = shapes.filter(({ length }) => length === 2)[1];
    const units = isTorch ? recurrent?.at(-1) : recurrent?.[0];
    return `${layer}(${isTorch ? last : first}, ${units ?? '?'})`;
  }
  const [inputs, outputs] = isTorch ? [last, first] : [matrix.at(-2)!, last];
  return `${layer} ${inputs}→${outputs}`;
}

/** Tensors of a state dict: those of an LSTM are one line, others a line each. */
function* moduleRows(tensors: NonNullable<Details['tensors']>, lstms: readonly string[]): Generator<Content> {
  const seen = new Set<string>();
  for (const { name, type, dims } of tensors) {
    const at = name.lastIndexOf('.');
    const module = at < 0 ? '(no prefix)' : name.slice(0, at);
    if (lstms.includes(module) && /^(weight|bias)_/.test(name.slice(at + 1))) {
      if (seen.has(module)) continue;
      seen.add(module);
      const own = tensors.filter(
        (each) =>
          each.name.slice(0, Math.max(0, each.name.lastIndexOf('.'))) === (at < 0 ? '' : module) &&
          /^(weight|bias)_/.test(each.name.slice(at + 1)),
      );
      const first = own.find((each) => /weight_ih(_l0)?$/.test(each.name));
      const hidden = own.find((each) => /weight_hh(_l0)?$/.test(each.name));
      yield {
        text: `LSTM(${first?.dims[1] ?? '?'}, ${hidden ? hidden.dims[0]! / 4 : '?'})`,
        name: short(module),
        numbers: own.reduce((sum, each) => sum + product(each.dims), 0),
        lstm: module,
      };
    } else
      yield {
        text: short(`${name} [${dims.join(', ')}]${type === 'F32' ? '' : ` ${type}`}`),
        name: short(name),
        numbers: product(dims),
      };
  }
}

async function onnxRows({ main, beside }: OpenedModel): Promise<Content[]> {
  const { parseOnnx } = await import('lstm-wasm/onnx');
  const { graph }: OnnxModel = parseOnnx(main!, { externalData: new Map(beside) });
  return [...graphRows(graph, new Map(), [])];
}

type Weights = ReadonlyMap<string, Pick<OnnxTensor, 'type' | 'dims'>>;

/** Nodes with weights, those of branches and bodies included. */
function* graphRows(graph: OnnxGraph, outer: Weights, branch: readonly string[]): Generator<Content> {
  const weights = new Map([...outer, ...graph.initializers]);
  for (const node of graph.nodes) {
    const value = node.opType === 'Constant' ? node.attributes.get('value') : undefined;
    if (typeof value === 'object' && value !== null && 'type' in value && 'dims' in value)
      weights.set(node.outputs[0]!, value as OnnxTensor);
    // weights of exporters that keep them as float16 or 8 bits pass through one of these
    if (/^(Identity|Cast|DequantizeLinear|Transpose)$/.test(node.opType) && weights.has(node.inputs[0]!)) {
      weights.set(node.outputs[0]!, weights.get(node.inputs[0]!)!);
    }
  }
  for (const node of graph.nodes) {
    const row = nodeRow(node, weights);
    if (row) yield branch.length ? { ...row, branch } : row;
    const name = node.name || node.outputs.find(Boolean) || node.opType;
    for (const [k, inner] of graphsIn(node).entries()) yield* graphRows(inner, weights, [...branch, `${name}\n${k}`]);
  }
}

const PASSING = /^(Identity|Cast|DequantizeLinear|Transpose|Constant|Reshape|Slice|Concat|Unsqueeze|Squeeze|Pad)$/;

function nodeRow(node: OnnxNode, weights: Weights): Content | undefined {
  if (PASSING.test(node.opType)) return undefined;
  const own = node.inputs.flatMap((name) => {
    const tensor = weights.get(name);
    return tensor && /float|int8/.test(tensor.type) && tensor.dims.length > 0 ? [tensor.dims.map(Number)] : [];
  });
  const numbers = own.reduce((sum, dims) => sum + product(dims), 0);
  const isLstm = node.opType === 'LSTM';
  const name = node.name || node.outputs.find(Boolean) || node.opType;
  const matrix = own.find(({ length }) => length >= 2);
  if (!isLstm && !matrix) return undefined;
  return { text: short(nodeText(node, matrix)), name: short(name), numbers, ...(isLstm ? { lstm: name } : {}) };
}

/** How many rows of its matrices a unit of an operator has. */
const GATES: Readonly<Record<string, number>> = { LSTM: 4, GRU: 3, RNN: 1 };

function nodeText({ opType, attributes }: OnnxNode, matrix: readonly number[] | undefined): string {
  if (!matrix) return opType;
  const gates = GATES[opType];
  if (gates) return `${opType}(${matrix[2]}, ${matrix[1]! / gates})${matrix[0] === 2 ? ' both ways' : ''}`;
  if (/^Conv/.test(opType)) return `${opType} ${matrix[1]}→${matrix[0]}`;
  const isTurned = opType === 'Gemm' && Number(attributes.get('transB') ?? 0) === 1;
  const [inputs, outputs] = isTurned ? [matrix[1], matrix[0]] : [matrix.at(-2), matrix.at(-1)];
  return `${opType} ${inputs}→${outputs}`;
}

function graphsIn({ attributes }: OnnxNode): OnnxGraph[] {
  const isGraph = (value: unknown): value is OnnxGraph =>
    typeof value === 'object' && value !== null && 'nodes' in value;
  return [...attributes.values()].flatMap((value) => (Array.isArray(value) ? [...value] : [value]).filter(isGraph));
}
