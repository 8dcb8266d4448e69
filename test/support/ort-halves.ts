// For test/ort-types.slow.node.test.ts: compiles with onnxruntime-web's types, not with ours.
import * as ort from 'onnxruntime-web';

export const halves: ort.Tensor = new ort.Tensor('uint8', new Uint8Array(4), [2, 2]);
