import { Dict, type Global, List, Opaque, StoredTensor, Tuple } from './values.ts';

/** The element types: the name of torch's storage, and the name that safetensors and this package use. */
export const STORAGE_TYPES: ReadonlyMap<string, string> = new Map([
  ['torch.FloatStorage', 'F32'],
  ['torch.DoubleStorage', 'F64'],
  ['torch.HalfStorage', 'F16'],
  ['torch.BFloat16Storage', 'BF16'],
  ['torch.LongStorage', 'I64'],
  ['torch.IntStorage', 'I32'],
  ['torch.ShortStorage', 'I16'],
  ['torch.CharStorage', 'I8'],
  ['torch.ByteStorage', 'U8'],
  ['torch.BoolStorage', 'BOOL'],
]);

/**
 * Calls _rebuild_tensor_v2(storage, offset, size, stride, requires_grad, hooks[, metadata]); no metadata, such as a negative bit.
 */
function rebuildTensor(args: readonly unknown[]): StoredTensor | undefined {
  const metadata = args[6] ?? null;
  const plain = metadata === null || (metadata instanceof Dict && metadata.items.size === 0);
  if ((args.length !== 6 && args.length !== 7) || !plain) return undefined;
  return new StoredTensor(args[0], args[1], args[2], args[3]);
}

/** Calls _rebuild_parameter(tensor, requires_grad, hooks): gives the tensor. */
function rebuildParameter(args: readonly unknown[]): StoredTensor | undefined {
  return args.length === 3 && args[0] instanceof StoredTensor ? args[0] : undefined;
}

/** Calls _rebuild_parameter_with_state(tensor, requires_grad, hooks, state): gives the tensor without its attributes. */
function rebuildParameterWithState(args: readonly unknown[]): StoredTensor | undefined {
  return args.length === 4 && args[0] instanceof StoredTensor ? args[0] : undefined;
}

/** Calls _rebuild_tensor(storage, offset, size, stride), as torch before 0.4 wrote it. */
function rebuildOldTensor(args: readonly unknown[]): StoredTensor | undefined {
  return args.length === 4 ? new StoredTensor(args[0], args[1], args[2], args[3]) : undefined;
}

/** Calls OrderedDict(), whose items follow, or with a list of lists of a key and a value, as Python 2 wrote it. */
function orderedDict(args: readonly unknown[]): Dict | undefined {
  const dict = new Dict();
  if (args.length === 0) return dict;
  const pairs = args.length === 1 && args[0] instanceof List ? args[0].items : undefined;
  for (const pair of pairs ?? []) {
    const [key, value] = pair instanceof List && pair.items?.length === 2 ? pair.items : [];
    if (typeof key !== 'string' || dict.items.has(key)) return undefined;
    dict.set(key, value);
  }
  return pairs && dict;
}

/** Calls Counter(dict): gives the dict. */
function counter(args: readonly unknown[]): Dict | undefined {
  if (args.length === 0) return new Dict();
  return args.length === 1 && args[0] instanceof Dict ? args[0] : undefined;
}

/** Calls Size(tuple): gives the tuple. */
function size(args: readonly unknown[]): Tuple | undefined {
  return args.length === 1 && args[0] instanceof Tuple ? args[0] : undefined;
}

/** A call that gives a plain value: nobody asks which. */
function plain(kind: string): NonNullable<Global['call']> {
  const value = new Opaque(kind);
  return () => value;
}

/** The functions that are called: those that make tensors and dicts, and the plain values that torch.load(weights_only=True) takes. */
const CALLS: readonly [string, NonNullable<Global['call']>][] = [
  ['torch._utils._rebuild_tensor_v2', rebuildTensor],
  ['torch._utils._rebuild_tensor', rebuildOldTensor],
  ['torch._utils._rebuild_parameter', rebuildParameter],
  ['torch._utils._rebuild_parameter_with_state', rebuildParameterWithState],
  ['collections.OrderedDict', orderedDict],
  ['collections.Counter', counter],
  ['torch.Size', size],
  ['torch.device', plain('a device')],
  ['torch.serialization._get_layout', plain('a layout')],
  ['_codecs.encode', plain('bytes')],
  // protocol 2 has the names of Python 2
  ...['builtins', '__builtin__'].flatMap((module): [string, NonNullable<Global['call']>][] => [
    [`${module}.bytes`, plain('bytes')],
    [`${module}.bytearray`, plain('bytes')],
    [`${module}.complex`, plain('a complex number')],
    [`${module}.set`, plain('a set')],
    [`${module}.frozenset`, plain('a set')],
  ]),
];

/** The element types as values, such as `torch.float32`. */
const TYPES: readonly string[] = [
  ...['bool', 'uint8', 'uint16', 'uint32', 'uint64', 'int8', 'int16', 'int32', 'int64', 'qint8', 'quint8', 'qint32'],
  ...['float16', 'bfloat16', 'float32', 'float64', 'complex32', 'complex64', 'complex128'],
  ...['float8_e4m3fn', 'float8_e5m2', 'float8_e4m3fnuz', 'float8_e5m2fnuz'],
].map((name) => `torch.${name}`);

/**
 * Every global that is known. `call` is what REDUCE does; it gives undefined for arguments that no state dict has. Nothing else
 * is ever looked up, and none of these runs code of the file.
 */
export const GLOBALS: ReadonlyMap<string, Global> = new Map<string, Global>([
  ...CALLS.map(([name, call]): [string, Global] => [name, { name, call }]),
  ...TYPES.map((name): [string, Global] => [name, { name }]),
  ...[...STORAGE_TYPES].map(([name, dtype]): [string, Global] => [name, { name, dtype }]),
]);

/** The globals of tensors that are not read, and advice what to save instead. */
const KINDS: readonly [RegExp, string][] = [
  [
    /^torch\._utils\._rebuild_qtensor$|^torch\.Q\w+Storage$/,
    'Quantized tensors are not read: save tensor.dequantize()',
  ],
  [/^torch\._utils\._rebuild_sparse/, 'Sparse tensors are not read: save tensor.to_dense()'],
  [/^torch\.Complex\w+Storage$/, 'Complex tensors are not read: save torch.view_as_real(tensor)'],
  [/^torch\._utils\._rebuild_tensor_v3$/, 'Tensors of this type are not read: save tensor.float()'],
  [/^torch\._utils\._rebuild_meta_tensor/, 'Tensors on the device meta have no values: load the weights before'],
  [/^torch\._tensor\._rebuild_from_type/, 'Subclasses of Tensor are not read: save tensor.as_subclass(torch.Tensor)'],
];

/** Advises what to save in place of an object with the global `path`, which is not loaded. */
export function adviceFor(path: string): string {
  const kind = KINDS.find(([pattern]) => pattern.test(path));
  return kind ? kind[1] : 'Save the weights alone: torch.save(model.state_dict(), path)';
}
