import { type AnyTensor, describe, product } from '../base/tensor.ts';
import type { Budget } from '../files/budget.ts';
import { DTYPES, readElements } from '../files/dtypes.ts';
import { refuse } from './refuse.ts';
import type { StorageSource } from './storages.ts';
import { describeValue, Storage, type StoredTensor, Tuple } from './values.ts';

/** The limit of torch itself. */
const MAX_RANK = 64;

/** Bytes on the budget for a tensor, beside its elements; for one that has the array of another; and for a size. */
const TENSOR_BYTES = 400;
const TIED_BYTES = 120;
const SIZE_BYTES = 8;

/** A tensor of a checkpoint. */
export interface CheckpointTensor extends AnyTensor {
  /**
   * The element type in the file, named as in safetensors. The data of F32, F64, F16 and BF16 are a Float32Array, those of BOOL a
   * Uint8Array, and those of I64, I32, I16, I8 and U8 their typed arrays.
   */
  readonly dtype: string;
}

/** A tensor as a view of its storage, checked. Offset and strides count elements of `bytes` bytes. */
interface StorageView {
  readonly name: string;
  readonly key: string;
  readonly dtype: string;
  readonly bytes: number;
  readonly offset: number;
  readonly dims: readonly number[];
  readonly strides: readonly number[];
}

/**
 * Reads the tensors of a state dict, in its order. All are checked before the first is read; each storage is read once, and
 * names of the very same view (tied weights) get the same array.
 * @throws ModelError
 */
export function readTensors(
  source: StorageSource,
  dict: ReadonlyMap<string, StoredTensor>,
  budget: Budget,
): Map<string, CheckpointTensor> {
  const tensors = new Map<string, CheckpointTensor>();
  const storages = new Map<string, StorageView[]>();
  for (const [name, tensor] of dict) {
    const view = checkView(source, name, tensor);
    // keeps the order of the dict; the tensors follow in the order of the storages
    tensors.set(name, NONE);
    const views = storages.get(view.key);
    if (views) views.push(view);
    else storages.set(view.key, [view]);
  }
  for (const [key, views] of storages) {
    const bytes = source.read(key);
    const arrays = views.length > 1 ? new Map<string, AnyTensor['data']>() : undefined;
    for (const view of views) {
      const { name, dtype, dims, offset, strides } = view;
      const same = arrays && `${dtype} ${offset} [${dims}] [${strides}]`;
      let data = same === undefined ? undefined : arrays!.get(same);
      if (data) budget.spend(TIED_BYTES + SIZE_BYTES * dims.length, describe(name));
      if (!data) {
        budget.spend(TENSOR_BYTES + product(dims) * (dtype.includes('F') ? 4 : view.bytes), describe(name));
        data = copyElements(bytes, view);
        if (same !== undefined) arrays!.set(same, data);
      }
      tensors.set(name, { data, dims: [...dims], dtype });
    }
    source.giveBack(key);
  }
  return tensors;
}

/** Stands for a tensor that is still to be read. */
const NONE: CheckpointTensor = { data: new Uint8Array(0), dims: [], dtype: '' };

function checkView(source: StorageSource, name: string, { storage, offset, dims, strides }: StoredTensor): StorageView {
  const wrong = (code: string, what: string, expected: string, found: string): never => {
    return refuse(code, name, `${describe(name)} ${what}`, expected, found);
  };
  if (!(storage instanceof Storage)) wrong('invalid-tensor', 'storage', 'a storage', describeValue(storage));
  const { dtype, key, size, part } = storage as Storage;
  const bytes = DTYPES.get(dtype)!.bits / 8;
  const stored = typeof key === 'string' ? source.size(key) : undefined;
  if (typeof key !== 'string' || stored === undefined) {
    const found = typeof key === 'string' ? `no ${source.name(key)}` : describeValue(key);
    return wrong('missing-entry', 'storage', 'one in the file', found);
  }
  const all = checkSize(size);
  if (all === undefined || all * bytes !== stored) {
    const found = `${stored} bytes in ${source.name(key)}`;
    return wrong('size-mismatch', 'storage', `${describeValue(size)} elements of ${bytes} bytes`, found);
  }
  const [first, count] =
    checkPart(part, all) ?? wrong('out-of-range', 'part of a storage', `one of ${all} elements`, describeValue(part));
  const [shape, steps] = [checkSizes(dims), checkSizes(strides)];
  if (!shape || shape.length > MAX_RANK) wrong('invalid-shape', 'shape', 'integers from 0', showSizes(dims));
  if (!steps || steps.length !== shape!.length) {
    wrong('invalid-strides', 'strides', `${shape!.length} integers from 0`, showSizes(strides));
  }
  const start = checkSize(offset);
  if (start === undefined) wrong('invalid-offset', 'storage offset', 'an integer from 0', describeValue(offset));
  const elements = product(shape!);
  if (!Number.isSafeInteger(elements)) wrong('out-of-range', 'shape', 'at most 2^53 - 1 elements', describe(shape));
  // an empty view reads nothing, but its offset still has to be one of the storage
  const end = elements === 0 ? start! : shape!.reduce((last, size, i) => last + (size - 1) * steps![i]!, start! + 1);
  if (!(end <= count)) {
    const view = `shape ${describe(shape)}, strides ${describe(steps)} and offset ${start}`;
    wrong('out-of-range', 'storage', `${end} elements or more for ${view}`, `${count}`);
  }
  return { name, key, dtype, bytes, offset: first + start!, dims: shape!, strides: steps! };
}

/** The first element and the number of elements of a part `(key, offset, size)` of a storage; undefined if it is none. */
function checkPart(part: unknown, all: number): [first: number, count: number] | undefined {
  if (part === undefined || part === null) return [0, all];
  const [first, count] = part instanceof Tuple ? [checkSize(part.items[1]), checkSize(part.items[2])] : [];
  return first !== undefined && count !== undefined && first + count <= all ? [first, count] : undefined;
}

/** Copies the elements of a view in row-major order. */
function copyElements(storage: Uint8Array, { dtype, bytes, offset, dims, strides }: StorageView): AnyTensor['data'] {
  const size = product(dims) * bytes;
  // bytes that lie in a run: the last dimensions, as long as each stride is the length of the run so far
  let run = bytes;
  let rank = dims.length;
  while (rank > 0 && (dims[rank - 1] === 1 || strides[rank - 1]! * bytes === run)) run *= dims[--rank]!;
  const begin = offset * bytes;
  if (run >= size) return readElements(dtype, storage, begin, begin + size);
  const gathered = new Uint8Array(size);
  const index = new Array<number>(rank).fill(0);
  let from = begin;
  for (let to = 0; to < size; ) {
    for (const end = to + run; to < end; to++, from++) gathered[to] = storage[from]!;
    from -= run;
    // go to the next index, the last dimension first
    for (let i = rank - 1; i >= 0; i--) {
      from += strides[i]! * bytes;
      if (++index[i]! < dims[i]!) break;
      from -= dims[i]! * strides[i]! * bytes;
      index[i] = 0;
    }
  }
  return DTYPES.get(dtype)!.read(gathered.buffer);
}

function checkSize(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? value : undefined;
}

function checkSizes(value: unknown): readonly number[] | undefined {
  if (!(value instanceof Tuple) || !value.items.every((item) => checkSize(item) !== undefined)) return undefined;
  return value.items as readonly number[];
}

function showSizes(value: unknown): string {
  return value instanceof Tuple ? describe(value.items.map(describeValue)) : describeValue(value);
}
