import { Dict, type Global, StoredTensor } from './values.ts';

/** The types of elements: how torch names their storage, and how safetensors and this package name them. */
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

/** _rebuild_tensor_v2(storage, offset, size, stride, requires_grad, hooks[, metadata]); a negative bit would be metadata. */
function rebuildTensor(args: readonly unknown[]): StoredTensor | undefined {
  const metadata = args[6] ?? null;
  const plain = metadata === null || (metadata instanceof Dict && metadata.items.size === 0);
  if ((args.length !== 6 && args.length !== 7) || !plain) return undefined;
  return new StoredTensor(args[0], args[1], args[2], args[3]);
}

/** _rebuild_parameter(tensor, requires_grad, hooks): the tensor. */
function rebuildParameter(args: readonly unknown[]): StoredTensor | undefined {
  return args.length === 3 && args[0] instanceof StoredTensor ? args[0] : undefined;
}

function emptyDict(args: readonly unknown[]): Dict | undefined {
  return args.length === 0 ? new Dict() : undefined;
}

/**
 * Every global that a pickle may name, with what REDUCE gives for it: undefined for arguments that a state dict has not.
 * Nothing else is ever looked up, and none of these runs code of the file.
 */
export const GLOBALS: ReadonlyMap<string, Global> = new Map<string, Global>([
  ['torch._utils._rebuild_tensor_v2', { name: 'torch._utils._rebuild_tensor_v2', call: rebuildTensor }],
  ['torch._utils._rebuild_parameter', { name: 'torch._utils._rebuild_parameter', call: rebuildParameter }],
  ['collections.OrderedDict', { name: 'collections.OrderedDict', call: emptyDict }],
  ...[...STORAGE_TYPES].map(([name, dtype]): [string, Global] => [name, { name, dtype }]),
]);
