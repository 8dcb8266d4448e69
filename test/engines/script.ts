// Makes one script of the suite, the built package and the files that it reads, for engines that can read no file.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { build, type Plugin } from 'esbuild';
import { root } from '../support/consumer.ts';

/** The bytes of a file that the suite names. */
export function readSuiteFile(name: string): Uint8Array<ArrayBuffer> {
  const folder = name.startsWith('silero') ? 'node_modules/@ricky0123/vad-web/dist' : 'test/fixtures';
  return new Uint8Array(readFileSync(join(root, folder, name)));
}

/** Base64 by hand, since an AudioWorklet lacks atob. */
const ENTRY = `
  import files from 'suite-files';
  import { run } from './suite.ts';

  const DIGITS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
  const VALUES = new Uint8Array(128);
  for (let i = 0; i < 64; i++) VALUES[DIGITS.charCodeAt(i)] = i;

  function decode(name) {
    const text = files[name].replace(/=+$/, '');
    const bytes = new Uint8Array(Math.floor((text.length * 3) / 4));
    for (let i = 0, at = 0, bits = 0, word = 0; i < text.length; i++) {
      word = (word << 6) | VALUES[text.charCodeAt(i)];
      bits += 6;
      if (bits >= 8) {
        bits -= 8;
        bytes[at++] = word >> bits;
      }
    }
    return bytes;
  }

  globalThis.runSuite = (cases) => run(decode, cases);
`;

/**
 * Bundles the suite as a classic script that sets globalThis.runSuite.
 * @param files the names of the files to put in
 */
export async function suiteScript(files: Iterable<string>): Promise<string> {
  const text = JSON.stringify(
    Object.fromEntries([...files].map((name) => [name, Buffer.from(readSuiteFile(name)).toString('base64')])),
  );
  const plugin: Plugin = {
    name: 'suite',
    setup(bundle) {
      bundle.onResolve({ filter: /^suite-files$/ }, ({ path }) => ({ path, namespace: 'suite' }));
      bundle.onLoad({ filter: /.*/, namespace: 'suite' }, () => ({ contents: text, loader: 'json' }));
      // helpers of other tests take the sources: here the built package is meant
      bundle.onResolve({ filter: /\/src\/index\.ts$/ }, () => ({ path: join(root, 'dist/index.js') }));
    },
  };
  const { outputFiles } = await build({
    stdin: { contents: ENTRY, resolveDir: join(root, 'test/engines') },
    bundle: true,
    write: false,
    format: 'iife',
    target: 'es2022',
    absWorkingDir: root,
    plugins: [plugin],
  });
  return outputFiles[0]!.text;
}
