import { Dict, type Global, StoredTensor } from './values.ts';

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

function emptyDict(args: readonly unknown[]): Dict | undefined {
  return args.length === 0 ? new Dict() : undefined;
}

const CALLS: readonly [string, NonNullable<Global['call']>][] = [
  ['torch._utils._rebuild_tensor_v2', rebuildTensor],
  ['torch._utils._rebuild_parameter', rebuildParameter],
  ['torch._utils._rebuild_parameter_with_state', rebuildParameterWithState],
  ['collections.OrderedDict', emptyDict],
];

/**
 * Every global that a pickle may name. `call` is what REDUCE does; it gives undefined for arguments that no state dict has.
 * Nothing else is ever looked up, and none of these runs code of the file.
 */
export const GLOBALS: ReadonlyMap<string, Global> = new Map<string, Global>([
  ...CALLS.map(([name, call]): [string, Global] => [name, { name, call }]),
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
