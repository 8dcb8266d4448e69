import { readFileSync } from 'node:fs';

/** A Vite plugin: licences.txt has what licences.md says of models and recordings, and files with licences, one after another. */
export function licencesPlugin(root, files) {
  const read = (path) => readFileSync(new URL(path, root), 'utf8').trim();
  return {
    name: 'licences',
    apply: 'build',
    generateBundle() {
      const source = ['licences.md', ...files].map((path) => `${read(path)}\n`).join(`\n${'-'.repeat(100)}\n\n`);
      this.emitFile({ type: 'asset', fileName: 'licences.txt', source });
    },
  };
}
