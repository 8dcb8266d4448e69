// Those who take part, on the same weights and inputs: the benchmark's own code, and onnxruntime-web from this site's files.
import { open as openOurs } from '../../../../benchmarks/ours.mjs';
import { onnxModel } from '../../../../benchmarks/peers/onnx.mjs';
import { open as openPlain } from '../../../../benchmarks/plain.mjs';
import { ORT_OPTIONS, type Ort, type OrtTensor } from './ort.ts';
import type { Name } from './result.ts';
import type { FastShape } from './shapes.ts';

type Weights = Map<string, { data: Float32Array; dims: number[] }>;

/** `step` carries a stream's state on; `forward` begins at zeros. What they return holds until the next call. */
export interface Player {
  step(frame: Float32Array): ArrayLike<number> | Promise<ArrayLike<number>>;
  forward(input: Float32Array): ArrayLike<number> | Promise<ArrayLike<number>>;
  end?(): void;
}

export async function open(name: Name, shape: FastShape, weights: Weights, ort: Ort | undefined): Promise<Player> {
  const full = { ...shape, from: '' };
  if (name === 'plain') return openPlain(full, weights, {}) as Player;
  if (name === 'ort-web') return openOrt(ort!, full, weights);
  return openOurs(full, weights, { int8: name === 'ours int8' }) as Player;
}

async function openOrt(
  { InferenceSession, Tensor }: Ort,
  shape: FastShape & { from: string },
  weights: Weights,
): Promise<Player> {
  const { I, H, T, B } = shape;
  const session = await InferenceSession.create(onnxModel(shape, weights, false), ORT_OPTIONS);
  const zeros = () => new Tensor('float32', new Float32Array(H), [1, 1, H]);
  const frame = new Float32Array(I);
  const feeds: Record<string, OrtTensor> = { x: new Tensor('float32', frame, [1, 1, I]), h: zeros(), c: zeros() };
  let sequence: Record<string, OrtTensor> | undefined;
  return {
    async step(x) {
      frame.set(x);
      const { hn, cn } = await session.run(feeds);
      feeds.h = hn!;
      feeds.c = cn!;
      return hn!.data;
    },
    async forward(x) {
      sequence ??= { x: new Tensor('float32', x, [T, B, I]) };
      return (await session.run(sequence)).y!.data;
    },
    end: () => void session.release(),
  };
}
