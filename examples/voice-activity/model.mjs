import { createHash } from 'node:crypto';
import { createRequire } from 'node:module';
import { InputError, readInput } from '../program.mjs';

// The models of Silero VAD (MIT, Silero Team) as the package @ricky0123/vad-web carries them.
const HASHES = {
  v5: '2623a2953f6ff3d2c1e61740c6cdb7168133479b267dfef114a4a3cc5bdd788f',
  v6: '1a153a22f4509e292a94e67d6f9b85e8deb25b4988682b7e174c65279d8788e3',
};

/**
 * The ONNX file of a model.
 * @param {string} model 'v5', 'v6', or the path of a file of the same form
 */
export function readModel(model) {
  if (!Object.hasOwn(HASHES, model)) return readInput(model);
  const path = createRequire(import.meta.url).resolve(`@ricky0123/vad-web/dist/silero_vad_${model}.onnx`);
  const bytes = readInput(path);
  const hash = createHash('sha256').update(bytes).digest('hex');
  if (hash !== HASHES[model]) throw new InputError(`${path}: expected the SHA-256 ${HASHES[model]}, got ${hash}`);
  return bytes;
}
