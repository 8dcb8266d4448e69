import { loadOnnx } from 'lstm-wasm/onnx';
import { fetchBytes } from '../../kit/bytes.ts';
import { answerOnce, FRAME, MODEL } from './first.ts';

answerOnce([MODEL], async (base) => {
  const { bytes } = await fetchBytes(`${base}${MODEL}`);
  const { output } = loadOnnx(bytes).run({
    input: { data: new Float32Array(FRAME), dims: [1, FRAME] },
    state: { data: new Float32Array(256), dims: [2, 1, 128] },
    sr: { data: BigInt64Array.of(16_000n), dims: [] },
  });
  return Number(output!.data[0]);
});
