import type { Config } from './config.ts';
import type { MaskedTensor } from './layer.ts';
import type { Dialect, LayerPlan } from './plan.ts';
import { checkRank, lastSize, readAxes } from './shapes.ts';

// Masking, and the operations that Keras 3 puts into a functional model for the masks of Masking and Embedding: a layer that
// takes a mask has it as an argument, which comes from NotEqual and Any.

/** Reads keras.layers.Masking: steps whose features all equal the value become zeros and are masked. */
export function readMasking(config: Config, name: string): LayerPlan {
  const value = Math.fround(config.get('mask_value').number(0));
  return {
    build([shape]) {
      checkRank(name, shape!, 3);
      const size = lastSize(name, shape!);
      const run = ([input]: readonly MaskedTensor[]): MaskedTensor[] => {
        const { data, dims } = input!;
        const mask = new Uint8Array(data.length / size);
        for (let row = 0; row < mask.length; row++) {
          mask[row] = data.subarray(row * size, (row + 1) * size).some((x) => x !== value) ? 1 : 0;
        }
        const masked = data.map((x, i) => (mask[Math.floor(i / size)] ? x : 0));
        return [{ data: masked, dims, mask }];
      };
      return { outputs: [shape!], layer: { run } };
    },
  };
}

/** Reads keras.ops.not_equal of a tensor and a number: 1 where they differ, else 0. */
export function readNotEqual(_: Config, name: string, dialect: Dialect, constants: readonly Config[]): LayerPlan {
  const { value } = constants[0] ?? {};
  if (constants.length !== 1 || typeof value !== 'number')
    dialect.unsupported(`arguments of ${name} but a tensor and a number`);
  const other = Math.fround(value as number);
  return {
    constants: 1,
    build([shape]) {
      const run = ([input]: readonly MaskedTensor[]): MaskedTensor[] => {
        return [{ data: input!.data.map((x) => (x !== other ? 1 : 0)), dims: input!.dims }];
      };
      return { outputs: [shape!], layer: { run } };
    },
  };
}

/** Reads keras.ops.any over the last axis. */
export function readAny(config: Config, name: string, dialect: Dialect): LayerPlan {
  if (config.get('keepdims').boolean(false)) dialect.unsupported(`keepdims of ${name}`);
  return {
    build([shape]) {
      const axis = config.get('axis');
      const [last, ...more] = readAxes(axis, shape!.length);
      if (!axis.given || last !== shape!.length - 1 || more.length > 0) axis.refuse('unsupported', 'the last axis');
      const size = lastSize(name, shape!);
      const run = ([input]: readonly MaskedTensor[]): MaskedTensor[] => {
        const { data, dims } = input!;
        const found = new Float32Array(data.length / size);
        for (let i = 0; i < data.length; i++) if (data[i] !== 0) found[Math.floor(i / size)] = 1;
        return [{ data: found, dims: dims.slice(0, -1) }];
      };
      return { outputs: [shape!.slice(0, -1)], layer: { run } };
    },
  };
}
