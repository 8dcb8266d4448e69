import { readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { rolldown } from 'rolldown';

const root = dirname(dirname(fileURLToPath(import.meta.url)));

/** The entry points stay files of their own, which a command imports when it needs them. */
const doorsApart = {
  name: 'doors-apart',
  resolveId(source, importer) {
    const path = importer && source.startsWith('../') ? join(dirname(importer), source) : '';
    return dirname(path) === join(root, 'src') ? { id: `../${basename(path, '.ts')}.js`, external: true } : undefined;
  },
};

/** cli-table3 colours its borders with it where it is there; ours has no borders. */
const withoutColors = {
  name: 'without-colors',
  resolveId: (source) => (source === '@colors/colors/safe' ? '\0colors' : undefined),
  load: (id) => (id === '\0colors' ? 'module.exports = {};' : undefined),
};

/** What commands share is two files: what --help needs too, and what reads models. */
const GROUPS = [
  { name: 'text', priority: 2, test: /\/src\/cli\/(errors|text|values\/write)\.ts$/ },
  {
    name: 'model',
    priority: 1,
    test: /\/src\/(base|files|cli\/(files|open|lstm-options|values\/.*|models\/(lstm-runner|state-dict|saved-state)))/,
  },
];

/**
 * src/cli/ -> dist/cli/: main.js with what --help needs, and a file for what each command and reader needs beyond.
 * @returns the packages in it, as a chunk of rolldown's has them
 */
export async function buildCli(dist) {
  const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  const bundle = await rolldown({
    input: { main: join(root, 'src/cli/main.ts') },
    platform: 'node',
    checks: { pluginTimings: false },
    transform: { define: { VERSION: JSON.stringify(version) } },
    plugins: [doorsApart, withoutColors],
  });
  const { output } = await bundle.write({
    dir: join(dist, 'cli'),
    format: 'esm',
    chunkFileNames: '[name].js',
    codeSplitting: { groups: GROUPS },
    minify: true,
  });
  await bundle.close();
  return { fileName: 'cli/main.js', moduleIds: output.flatMap(({ moduleIds }) => moduleIds) };
}
