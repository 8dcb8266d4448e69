import { fetchBytes } from '../../kit/bytes.ts';
import { answerOnce, FRAME, MODEL } from './first.ts';
import { loadOrt, ORT_OPTIONS, WASM } from './ort.ts';

answerOnce([MODEL, WASM], async (base) => {
  // both are fetched at once, as a page would
  const [{ InferenceSession, Tensor }, { bytes }] = await Promise.all([loadOrt(base), fetchBytes(`${base}${MODEL}`)]);
  const session = await InferenceSession.create(bytes, ORT_OPTIONS);
  const { output } = await session.run({
    input: new Tensor('float32', new Float32Array(FRAME), [1, FRAME]),
    state: new Tensor('float32', new Float32Array(256), [2, 1, 128]),
    sr: new Tensor('int64', BigInt64Array.of(16_000n), []),
  });
  return output!.data[0]!;
});
