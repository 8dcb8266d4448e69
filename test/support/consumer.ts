// A project that uses the package, and programs that run in it, each a process of its own: what needs a thread without kernels,
// or without some global. dist/ must have been built.
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, expect } from 'vitest';

export const root = fileURLToPath(new URL('../..', import.meta.url));

/** A folder for the tests of a file. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'lstm-wasm-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** The folder of a project whose only dependency is the package, linked. */
export function makeConsumer(): string {
  const folder = temporaryFolder();
  writeFileSync(join(folder, 'package.json'), '{ "name": "consumer", "private": true, "type": "module" }');
  mkdirSync(join(folder, 'node_modules'));
  symlinkSync(root, join(folder, 'node_modules/lstm-wasm'), 'junction');
  return folder;
}

/** The JSON that an ES module prints, run by a new Node in the folder. */
export function runIn(folder: string, program: string, ...flags: string[]): any {
  const args = [...flags, '--input-type=module', '--eval', program];
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { cwd: folder, encoding: 'utf8' });
  expect({ status, stderr }).toEqual({ status: 0, stderr: expect.stringMatching(/^(Warning: disabling flag .*\n)?$/) });
  return JSON.parse(stdout);
}

/** For programs: `attempt` gives the name and message of what was thrown, `hash` all bits of a result. */
export const TOOLS = `
  const attempt = (body) => {
    try {
      body();
      return 'ok';
    } catch (error) {
      return error.name + ': ' + error.message;
    }
  };
  const hash = (lstm) => {
    const input = { data: Float32Array.from({ length: 150 }, (_, i) => Math.fround((i % 17) / 8 - 1)), dims: [5, 3, 10] };
    const { data } = lstm.forward(input).output;
    return new Uint32Array(data.buffer).reduce((sum, word) => Math.imul(sum ^ word, 16777619), 1);
  };
`;

/** For programs: `bytes` and a compiled `module` of the package's lstm.wasm. */
export const WASM = `
  import { readFileSync } from 'node:fs';
  import { createRequire } from 'node:module';
  const bytes = readFileSync(createRequire(import.meta.url).resolve('lstm-wasm/lstm.wasm'));
  const module = new WebAssembly.Module(bytes);
  const int8Bytes = readFileSync(createRequire(import.meta.url).resolve('lstm-wasm/lstm-int8.wasm'));
`;

/** From here on nothing can be compiled, as in workerd, whose words these are; what was compiled before can be used. */
export const FORBID_COMPILING = forbid('Module', 'CompileError', 'Wasm code generation disallowed by embedder');

/** From here on new WebAssembly.Module() or Instance() throws this. */
export function forbid(what: 'Module' | 'Instance', error: string, message: string): string {
  return `
    WebAssembly.${what} = new Proxy(WebAssembly.${what}, {
      construct() {
        throw new (WebAssembly.${error} ?? globalThis.${error})(${JSON.stringify(`WebAssembly.${what}(): ${message}`)});
      },
    });
  `;
}
