// Files of the command's (src/cli) that need no Node read models here too: the doors of the package that they import are those of dist/,
// so that the page has one copy of each.
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** The file of an entry point: `onnx` is lstm-wasm/onnx. */
const door = (name) => join(root, 'dist', `${name}.js`);

/** A plugin of Vite and rolldown. */
export function doorsPlugin() {
  return {
    name: 'doors',
    resolveId(source, importer) {
      const own = source.match(/^lstm-wasm(?:\/([\w-]+))?$/);
      if (own) return door(own[1] ?? 'index');
      if (!importer?.startsWith(join(root, 'src/cli/')) || !source.startsWith('.')) return undefined;
      const path = join(dirname(importer), source);
      const name = path.match(/\/src\/([\w-]+)\.ts$/);
      return name && path === join(root, 'src', `${name[1]}.ts`) ? door(name[1]) : undefined;
    },
  };
}
