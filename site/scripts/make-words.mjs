// The word segmenter of the example as one small file: weights under PyTorch's names, and the code points of its letters by row.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { serializeSafetensors } from '../../dist/safetensors.js';
import { loadModel } from '../../examples/word-segmentation/main.mjs';

const data = new URL('../../examples/word-segmentation/data/thai-model5.weights.json', import.meta.url);
const built = new URL('../public/built/', import.meta.url);

const { rows, embedding, lstm, dense } = loadModel(JSON.parse(readFileSync(data, 'utf8')));
const parts = Object.entries({ embedding, lstm, dense }).flatMap(([part, module]) =>
  [...module.stateDict()].map(([name, tensor]) => [`${part}.${name}`, tensor]),
);
const letters = new Int32Array(rows.size);
for (const [letter, row] of rows) letters[row] = letter.codePointAt(0);

mkdirSync(built, { recursive: true });
const bytes = serializeSafetensors({
  ...Object.fromEntries(parts),
  letters: { data: letters, dims: [letters.length] },
});
writeFileSync(new URL('words.safetensors', built), bytes);
console.log(`words.safetensors: ${bytes.length} bytes`);
