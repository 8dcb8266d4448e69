// dist/workerd/ and dist/edge-light/: the entry points for runtimes that compile no bytes, by the conditions in package.json. Each is its
// entry point of dist/ after an import of compiled modules, so that no code is there twice.
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * The files that hand compiled modules to the library: of all entry points, and besides of readers of models and of GRU. lstm-int8.wasm needs
 * relaxed SIMD, and Node 20, on which Next's edge runtime may run, would refuse the whole program with it.
 */
const MODULES = {
  'workerd/modules': { lstm: 'lstm', int8: 'lstm-int8' },
  'workerd/modules-onnx': { onnx: 'lstm-onnx' },
  'workerd/modules-gru': { gru: 'lstm-gru' },
  'edge-light/modules': { lstm: 'lstm' },
  'edge-light/modules-onnx': { onnx: 'lstm-onnx' },
  'edge-light/modules-gru': { gru: 'lstm-gru' },
};

/** Entries of the build, by the names of their files. */
export const edgeEntries = Object.fromEntries(Object.keys(MODULES).map((name) => [name, `edge:${name}`]));

/**
 * Makes the code of the entries. Wrangler, Vercel, Next, Nitro and Cloudflare's plugin for Vite compile what is imported with `?module`.
 * @param {string} root
 * @returns {import('rolldown').Plugin}
 */
export const edgeModules = (root) => ({
  name: 'edge-modules',
  resolveId(id) {
    if (id.startsWith('edge:')) return { id, moduleSideEffects: true };
    return id.endsWith('.wasm?module') ? { id, external: true } : undefined;
  },
  load(id) {
    if (!id.startsWith('edge:')) return undefined;
    const modules = Object.entries(MODULES[id.slice('edge:'.length)]);
    return [
      ...modules.map(([name, file]) => `import ${name} from '../${file}.wasm?module';`),
      `import { provide } from ${JSON.stringify(join(root, 'src/memory/wasm.ts'))};`,
      `provide({ ${modules.map(([name]) => name).join(', ')} });`,
    ].join('\n');
  },
});

/** Writes the entry points, and takes the maps of MODULES away, which lead to no source. */
export function writeEdgeDoors(dist, exports) {
  for (const name of Object.keys(edgeEntries)) {
    const path = join(dist, `${name}.js`);
    writeFileSync(path, readFileSync(path, 'utf8').replace(/\n\/\/# sourceMappingURL=.*\n?$/, '\n'));
    rmSync(`${path}.map`);
  }
  for (const door of Object.values(exports).filter(({ workerd }) => workerd)) {
    for (const condition of ['workerd', 'edge-light']) {
      const [, folder, file] = door[condition].match(/^\.\/dist\/(.*)\/(.*)$/);
      const lines = [`import './modules.js';`];
      if (file === 'gru.js') lines.push(`import './modules-gru.js';`);
      else if (file !== 'index.js') lines.push(`import './modules-onnx.js';`);
      // of what reads layers of these kinds
      if (['onnx.js', 'keras.js', 'ort.js', 'audio.js'].includes(file)) lines.push(`import './modules-gru.js';`);
      lines.push(`export * from '../${file}';`);
      if (file === 'ort.js') lines.push(`export { default } from '../${file}';`);
      mkdirSync(join(dist, folder), { recursive: true });
      writeFileSync(join(dist, folder, file), `${lines.join('\n')}\n`);
    }
  }
}
