import { readdirSync, statSync, writeFileSync } from 'node:fs';
import { join, relative, sep } from 'node:path';

/** The list itself, the worker that serves from it, and what is read elsewhere: the reference, and the peer of the benchmark. */
const LEFT_OUT = /^(offline\.json|offline-worker\.js|api\/.*|ort\/.*)$/;

/** A Vite plugin: offline.json lists the files, and their bytes, that the page needs without a network. */
export function offlinePlugin() {
  let folder = '';
  return {
    name: 'offline',
    apply: 'build',
    configResolved({ root, build }) {
      folder = join(root, build.outDir);
    },
    closeBundle() {
      const files = readdirSync(folder, { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile())
        .map((entry) => join(entry.parentPath, entry.name))
        .map((path) => [relative(folder, path).split(sep).join('/'), statSync(path).size])
        .filter(([name]) => !LEFT_OUT.test(name));
      writeFileSync(join(folder, 'offline.json'), JSON.stringify(Object.fromEntries(files)));
    },
  };
}
