// Size of each entry point, bundled, minified and gzipped, against test/sizes.json; `-- --record` writes the file. Needs dist/.
import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { argv } from 'node:process';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';
import { rolldown } from 'rolldown';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const FILE = join(root, 'test/sizes.json');

/** Each makes one minified file of an entry point that it finds as a user's would. */
const BUNDLERS = {
  async esbuild(entry) {
    const options = { bundle: true, minify: true, format: 'esm', target: 'es2022', write: false, absWorkingDir: root };
    const { outputFiles } = await build({ ...options, entryPoints: [entry] });
    return outputFiles[0].text;
  },
  async rolldown(entry) {
    const bundle = await rolldown({ input: entry, cwd: root });
    const { output } = await bundle.generate({ format: 'esm', minify: true });
    await bundle.close();
    return output[0].code;
  },
};

/**
 * Bytes by entry point ('.', './onnx') and bundler.
 * @returns {Promise<Record<string, Record<string, number>>>}
 */
export async function measure() {
  const { name, exports } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  /** @type {Record<string, Record<string, number>>} */
  const sizes = {};
  for (const [path, door] of Object.entries(exports)) {
    if (!door.default?.endsWith('.js')) continue;
    sizes[path] = {};
    for (const [bundler, bundle] of Object.entries(BUNDLERS)) {
      const code = await bundle(name + path.slice(1));
      sizes[path][bundler] = gzipSync(code, { level: 9 }).length;
    }
  }
  return sizes;
}

if (argv[1] === fileURLToPath(import.meta.url)) {
  const sizes = await measure();
  const recorded = JSON.parse(readFileSync(FILE, 'utf8'));
  for (const [path, byBundler] of Object.entries(sizes)) {
    const cells = Object.entries(byBundler).map(([bundler, bytes]) => {
      const before = recorded[path]?.[bundler];
      const change = before ? `${(100 * (bytes / before - 1)).toFixed(1)} %` : 'new';
      return `${bundler} ${bytes} (${change})`;
    });
    console.log(path.padEnd(14), cells.join('  '));
  }
  if (argv.includes('--record')) writeFileSync(FILE, `${JSON.stringify(sizes, null, 2)}\n`);
}
