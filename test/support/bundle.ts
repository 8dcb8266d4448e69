// Bundlers as a user has them: each makes one file of a program in a consumer's folder, minified but for Rollup's.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'esbuild';
import { rolldown } from 'rolldown';
import { rollup } from 'rollup';
import { root } from './consumer.ts';

const { name, exports } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));

/** What @rollup/plugin-node-resolve makes of the package. */
const resolvePackage = {
  name: 'resolve-package',
  resolveId(id: string) {
    if (!id.startsWith(name)) return undefined;
    return { id: join(root, exports[id.replace(name, '.')].default), moduleSideEffects: false };
  },
};

const BUNDLERS = {
  async esbuild(entry: string) {
    const { outputFiles } = await build({
      entryPoints: [entry],
      bundle: true,
      minify: true,
      format: 'esm',
      write: false,
    });
    return outputFiles.map(({ text }) => text);
  },
  async rolldown(entry: string) {
    const bundle = await rolldown({ input: entry });
    const { output } = await bundle.generate({ format: 'esm', minify: true });
    await bundle.close();
    return output.map((file) => ('code' in file ? file.code : file.fileName));
  },
  async rollup(entry: string) {
    const bundle = await rollup({ input: entry, logLevel: 'silent', plugins: [resolvePackage] });
    const { output } = await bundle.generate({ format: 'esm' });
    await bundle.close();
    return output.map((file) => ('code' in file ? file.code : file.fileName));
  },
};
export type Bundler = keyof typeof BUNDLERS;
export const bundlers = Object.keys(BUNDLERS) as Bundler[];

let entries = 0;

/** The one file that a bundler makes of a program. */
export async function bundleIn(folder: string, program: string, bundler: Bundler = 'rolldown'): Promise<string> {
  const entry = join(folder, `entry-${entries++}.mjs`);
  writeFileSync(entry, program);
  const [code, ...others] = await BUNDLERS[bundler](entry);
  if (others.length > 0) throw new Error(`${bundler}: expected one file, got ${others.length + 1}`);
  return code!.trim();
}
