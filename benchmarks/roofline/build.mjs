import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import asc from 'assemblyscript/asc';

const FOLDER = fileURLToPath(new URL('.', import.meta.url));

/** Compiles `source` beside this file with the options of the kernels, and instantiates it. */
export async function probe(source, ...features) {
  let wasm;
  const options = [
    '--runtime',
    'stub',
    '--noAssert',
    '--use',
    'abort=',
    '-O3',
    '--converge',
    '--initialMemory',
    '1025',
  ];
  const { error, stderr } = await asc.main(
    [source, '--outFile', 'probe.wasm', ...options, ...['simd', ...features].flatMap((name) => ['--enable', name])],
    {
      readFile: (name) => {
        try {
          return readFileSync(`${FOLDER}${name}`, 'utf8');
        } catch {
          return null;
        }
      },
      writeFile: (name, bytes) => {
        if (name === 'probe.wasm') wasm = bytes;
      },
      listFiles: () => [],
    },
  );
  if (error) throw new Error(`${source}: ${stderr.toString()}`, { cause: error });
  const { instance } = await WebAssembly.instantiate(wasm);
  return instance.exports;
}
