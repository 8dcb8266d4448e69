// assembly/ -> build/modules/*.wasm -> dist/*.wasm -> src/memory/{abi,embedded}.ts -> dist/worklet-processor.js ->
// src/worklet/embedded.ts -> dist/*.js with maps, dist/*.d.ts
// One file an entry point and one for what they share: forty small modules would take longer to load than to run.
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { rolldown } from 'rolldown';
import { buildCli } from './build-cli.mjs';
import { writeDeclarations } from './declarations.mjs';
import { edgeEntries, edgeModules, writeEdgeDoors } from './edge.mjs';
import { embed } from './embed.mjs';
import { importOrder } from './import-order.mjs';
import { libraryParts } from './library-parts.mjs';
import { compileModules, MODULE_NAMES, run } from './modules.mjs';
import { shortPrivateNames } from './private-names.mjs';
import { pureCalls } from './pure.mjs';
import { slim } from './source-maps.mjs';

const root = dirname(dirname(fileURLToPath(import.meta.url)));

/** Beside a file that has code of other packages: which, and their licences. */
function writeLicences({ fileName, moduleIds }) {
  const packages = new Set(moduleIds.map((id) => id.match(/.*\/node_modules\/((?:@[^/]+\/)?[^/]+)\//)?.[0]));
  packages.delete(undefined);
  if (packages.size === 0) return;
  const texts = [...packages].map((folder) => {
    const { name, version } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
    // some packages have none
    const own = join(root, 'scripts/licences', `${name.replace('/', '-')}.txt`);
    const named = readdirSync(folder).find((file) => /^licen[cs]e/i.test(file)) ?? 'LICENSE';
    const licence = [own, join(folder, named)].find(existsSync);
    return `${fileName} has code of ${name} ${version}:\n\n${readFileSync(licence, 'utf8').trim()}\n`;
  });
  writeFileSync(join(dist, fileName.replace(/\.js$/, '.LICENSE.txt')), texts.join('\n'));
}

// made aside and put in place whole, so that whoever uses dist/ meanwhile finds one that works
const dist = join(root, 'build/dist');
rmSync(dist, { recursive: true, force: true });
mkdirSync(dist, { recursive: true });
const { folder, constants } = await compileModules();
for (const name of MODULE_NAMES) copyFileSync(join(folder, `${name}.wasm`), join(dist, `${name}.wasm`));
writeFileSync(
  join(root, 'src/memory/abi.ts'),
  `/** Constants of assembly/, written by the build. */
${Object.entries(constants)
  .map(([name, value]) => `export const ${name} = ${value};\n`)
  .join('')}`,
);

/** Writes a file of src/ that exports modules as texts. */
function writeEmbedded(path, texts) {
  const exports = Object.entries(texts).map(([name, file]) => {
    const text = embed(readFileSync(join(dist, file)));
    return `/** ${file} as scripts/embed.mjs writes it. */\nexport const ${name}: string =\n  '${text}';\n`;
  });
  writeFileSync(join(root, path), exports.join(''));
}
writeEmbedded('src/memory/embedded.ts', { embedded: 'lstm.wasm', embeddedInt8: 'lstm-int8.wasm' });
writeEmbedded('src/cells/embedded.ts', { embeddedOnnx: 'lstm-onnx.wasm' });
writeEmbedded('src/gru/embedded.ts', { embeddedGRU: 'lstm-gru.wasm' });

// ort.js imports onnx.js as a user does: what both have would else be a file of its own, and onnx.js an empty one
const ortOnOnnx = {
  name: 'ort-on-onnx',
  resolveId: (source, importer) =>
    source === '../onnx.ts' && importer?.includes('/src/ort/') ? { id: './onnx.js', external: true } : undefined,
};

/** dist/worklet-processor.js, one file that needs no other, and its text for src/. The page sends what a model needs besides. */
async function writeProcessor() {
  const lstmAlone = {
    name: 'lstm-alone',
    load: (id) =>
      /[\\/](cells|gru)[\\/]embedded\.ts$/.test(id) ? "export const embeddedOnnx = '', embeddedGRU = '';" : undefined,
  };
  const bundle = await rolldown({
    input: join(root, 'src/worklet-processor.ts'),
    checks: { pluginTimings: false },
    plugins: [shortPrivateNames(join(root, 'src')), pureCalls, lstmAlone],
  });
  const { output } = await bundle.write({ dir: dist, format: 'esm', minify: true });
  await bundle.close();
  writeFileSync(join(dist, 'worklet-processor.d.ts'), 'export {};\n');
  const text = `/** dist/worklet-processor.js. */\nexport const text: string = ${JSON.stringify(output[0].code)};\n`;
  writeFileSync(join(root, 'src/worklet/embedded.ts'), text);
}

const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
const doors = Object.entries(manifest.exports).flatMap(([name, door]) => {
  return name.endsWith('.js') ? [] : (door.default?.match(/([a-z0-9-]+)\.js$/)?.[1] ?? []);
});
await writeProcessor();
const bundle = await rolldown({
  input: { ...Object.fromEntries(doors.map((name) => [name, join(root, `src/${name}.ts`)])), ...edgeEntries },
  checks: { pluginTimings: false },
  // fflate looks at it when it is loaded, for a part that is not bundled; AudioWorklets lack it
  transform: { define: { TextDecoder: 'undefined' } },
  plugins: [shortPrivateNames(join(root, 'src')), pureCalls, libraryParts, ortOnOnnx, edgeModules(root), importOrder],
  // the text of a module stays in its file
  optimization: { inlineConst: false },
});
// What the main entry and readers share, what readers share, and fflate with what it unpacks: a file each. A group takes along
// what it imports, unless one of a higher priority has it: fflate fills tables as it is loaded, which no bundler leaves out.
const groups = [
  // alone, so that it comes first in users' bundles: beside code hexadecimal compresses worse, by 140 bytes with esbuild
  { name: 'embedded', priority: 4, test: /\/src\/memory\/embedded\.ts$/ },
  { name: 'embedded-onnx', priority: 4, test: /\/src\/cells\/embedded\.ts$/ },
  { name: 'embedded-gru', priority: 4, test: /\/src\/gru\/embedded\.ts$/ },
  // of gru.js and audio.js, without RNN and cells of one step
  { name: 'gru-layers', priority: 1, test: /\/src\/gru\/(gru|layers|trace)\.ts$/ },
  { name: 'core', priority: 3, test: /\/src\/(base|memory|nn)\/|\/activation-kinds\.ts$/ },
  { name: 'cells', priority: 2, test: /\/src\/cells\// },
  { name: 'operators', priority: 1, test: /\/src\/(graph|operators)\// },
  { name: 'formats', priority: 2, test: /\/src\/files\/[^/]+$/ },
  // readers of effects without what plays them, for a page that sends them to a worklet
  { name: 'effects', priority: 1, test: /\/src\/audio\/(?!model|stages)/ },
  { name: 'worklet-messages', priority: 1, test: /\/src\/worklet\/(messages|sent-error)\.ts$/ },
  { name: 'zip', priority: 1, test: /\/src\/files\/zip\/|\/node_modules\/fflate\// },
];
const { output } = await bundle.write({
  dir: dist,
  format: 'esm',
  chunkFileNames: '[name].js',
  codeSplitting: { groups },
  // classes keep the names that a console and an error show; for stack traces there are the maps
  minify: {
    compress: { keepNames: { function: false, class: true } },
    mangle: { keepNames: { function: false, class: true } },
  },
  sourcemap: true,
});
await bundle.close();
writeEdgeDoors(dist, manifest.exports);
for (const chunk of output) if (chunk.type === 'chunk') writeLicences(chunk);
writeLicences(await buildCli(dist));
for (const { fileName } of output.filter(({ fileName }) => /^[^/]+\.map$/.test(fileName))) {
  const path = join(dist, fileName);
  writeFileSync(path, JSON.stringify(slim(JSON.parse(readFileSync(path, 'utf8')))));
}
// npm run test:quick needs none, which halves the build
if (!process.argv.includes('--no-types')) {
  rmSync(join(root, 'build/types'), { recursive: true, force: true });
  await run('typescript', 'tsc', '-p', '.');
  const entries = output
    .filter(({ isEntry, name }) => isEntry && !(name in edgeEntries))
    .map(({ name, exports }) => [name, exports]);
  await writeDeclarations(join(root, 'build/types'), dist, Object.fromEntries(entries));
}
rmSync(join(root, 'dist'), { recursive: true, force: true });
renameSync(dist, join(root, 'dist'));
