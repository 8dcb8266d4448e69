import type { ValueData, ValueType } from '../graph/types.ts';
import { Value } from '../graph/value.ts';
import { MAX_RANK, refuseRank } from '../operators/value.ts';
import { onnxRefusal, refuseBecause } from './refuse.ts';
import type { OnnxTensor } from './tensor.ts';

/** The type in which a file's type is computed; undefined if it is not computed with. */
export function computedType(type: string): ValueType | undefined {
  if (['float32', 'float16', 'bfloat16', 'float64'].includes(type)) return 'float32';
  return ['int64', 'int32', 'int8', 'uint8', 'bool'].includes(type) ? (type as ValueType) : undefined;
}

/** The tensor of a file as a value; its data are read. */
export function toValue(tensor: OnnxTensor, path: string): Value {
  const type = computedType(tensor.type);
  if (!type) {
    const reason = `tensors of type ${tensor.type} are not computed with`;
    refuseBecause('unsupported', path, reason, 'float32', tensor.type);
  }
  if (tensor.dims.length > MAX_RANK) refuseRank(onnxRefusal, path, tensor.dims.length);
  return Value.of(type, tensor.dims, tensor.read() as ValueData);
}
