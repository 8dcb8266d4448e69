// For `node --import lstm-wasm/register`: onnxruntime-node, -web and -common are lstm-wasm/ort from here on.

interface Resolved {
  url: string;
  format: string;
  shortCircuit: boolean;
}

type Resolve = (specifier: string, context: object, next: (specifier: string, context: object) => Resolved) => Resolved;

/** The part of node:module that is used here; registerHooks() came with Node 22.15 and 23.5. */
interface Loader {
  registerHooks?(hooks: { resolve: Resolve }): void;
  register(url: string): void;
  Module: { _resolveFilename(request: string, ...others: unknown[]): string };
}

interface NodeProcess {
  getBuiltinModule?: ((name: 'module') => Loader) & ((name: 'url') => { fileURLToPath(url: string): string });
}

const ORT = new URL('./ort.js', import.meta.url).href;
const NAMES = /^onnxruntime-(node|web|common)(\/|$)/;
const FOUND: Resolved = { url: ORT, format: 'module', shortCircuit: true };

const { process } = globalThis as { process?: NodeProcess };
if (!process?.getBuiltinModule) throw new Error('lstm-wasm/register: Node 20.16 or later is needed');
const loader = process.getBuiltinModule('module');

if (loader.registerHooks) {
  loader.registerHooks({
    resolve: (specifier, context, next) => (NAMES.test(specifier) ? FOUND : next(specifier, context)),
  });
} else {
  // import, whose hooks run in a thread of their own, and require, which those do not reach
  const code = `export const resolve = (specifier, context, next) =>
    ${NAMES}.test(specifier) ? ${JSON.stringify(FOUND)} : next(specifier, context);`;
  loader.register(`data:text/javascript,${encodeURIComponent(code)}`);
  const { Module } = loader;
  const resolveFilename = Module._resolveFilename;
  const path = process.getBuiltinModule('url').fileURLToPath(ORT);
  Module._resolveFilename = function (request, ...others) {
    return NAMES.test(request) ? path : resolveFilename.call(this, request, ...others);
  };
}
