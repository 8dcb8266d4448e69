// For test/ort-types.slow.node.test.ts: compiles with onnxruntime-web's types, not with ours.
import * as ort from 'onnxruntime-web';

export const halves: ort.Tensor = new ort.Tensor('int16', new Int16Array(4), [2, 2]);
