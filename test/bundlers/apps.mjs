// One app a tool, as its template has it, with nothing configured for this package but what the table of docs/where-it-runs.md says. `run` gives text with the answer:
// from programs one after the other, from a page in Chromium, or from a server that one of them starts.

import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const fixture = (path) => fileURLToPath(new URL(`../fixtures/vad/${path}`, import.meta.url));
const PRINT = `import { answer } from './answer.mjs';\nconsole.log(await answer());\n`;
const PAGE = `import { answer } from './answer.mjs';\ndocument.title = await answer();\n`;
const html = (script) =>
  `<!doctype html><html><head><meta charset="utf-8"></head><body><script type="module" src="${script}"></script></body></html>`;
const WORKER = `import { answer } from './answer.mjs';
export default { async fetch() { return new Response(await answer()); } };
`;
const WRANGLER = JSON.stringify({ name: 'app', main: 'worker.mjs', compatibility_date: '2026-01-01' });
const JEST = `import { answer } from './answer.mjs';
test('runs', async () => console.log(await answer()));
`;
const VITEST = `import { test } from 'vitest';\n${JEST}`;
const next = (bundler, files, path, extra = {}) => ({
  packages: ['next', 'react', 'react-dom'],
  files: {
    'app/layout.jsx': 'export default ({ children }) => <html><body>{children}</body></html>;\n',
    'app/page.jsx': `import { answer } from '../answer.mjs';
import Client from './client.jsx';
export const dynamic = 'force-dynamic';
export default async () => <main><p>server: {await answer()}</p><Client /></main>;
`,
    'app/client.jsx': `'use client';
import { useEffect } from 'react';
import { answer } from '../answer.mjs';
export default () => {
  useEffect(() => void answer().then((text) => (document.title = text)), []);
  return <p>client</p>;
};
`,
    ...files,
  },
  steps: [['next', 'build', `--${bundler}`]],
  server: ['next', 'start', '-p', 'PORT'],
  path,
  ...extra,
});
const EDGE = {
  'pages/api/edge.js': `import { answer } from '../../answer.mjs';
export const config = { runtime: 'edge' };
export default async () => new Response(await answer());
`,
};

/**
 * @typedef {object} App
 * @property {string[]} packages to install beside the tarball
 * @property {Record<string, string>} files
 * @property {string[][]} [steps] commands; `node` or one of a package
 * @property {string[]} [server] a command that serves at PORT
 * @property {string} [path] what to ask the server for
 * @property {boolean} [page] whether the answer is a page's title in Chromium
 * @property {string} [folder] of files to serve for a page, without a server
 * @property {number} [node] the least version of Node that the tool runs on
 * @property {boolean} [quick] whether CI runs it
 * @property {Record<string, unknown>} [manifest] fields of package.json
 * @property {(text: string) => void} [check] throws if it is the wrong answer; default: answer.mjs's
 */

/** @type {Record<string, App>} */
export const APPS = {
  node: { packages: [], files: { 'main.mjs': PRINT }, steps: [['node', 'main.mjs']], quick: true },
  'node, require': {
    packages: [],
    files: {
      'main.cjs': `const { LSTM } = require('lstm-wasm');
if (new LSTM(1, 2).hiddenSize !== 2) throw new Error('wrong');
for (const name of ['onnx', 'ort', 'keras', 'audio', 'safetensors', 'pytorch', 'self-test']) require('lstm-wasm/' + name);
import('./answer.mjs').then(({ answer }) => answer()).then(console.log);
`,
    },
    steps: [['node', 'main.cjs']],
    quick: true,
  },
  Deno: {
    packages: ['deno'],
    files: { 'main.mjs': PRINT },
    steps: [['deno', 'run', '--node-modules-dir=manual', 'main.mjs']],
  },
  Bun: {
    packages: ['bun'],
    files: { 'main.mjs': PRINT },
    steps: [['node_modules/@oven/bun-linux-x64/bin/bun', 'main.mjs']],
  },
  tsx: { packages: ['tsx'], files: { 'main.mts': PRINT }, steps: [['tsx', 'main.mts']], quick: true },
  vitest: {
    packages: ['vitest@4'],
    files: { 'a.test.mjs': VITEST },
    steps: [['vitest', 'run', '--disable-console-intercept']],
  },
  'jest, ES modules': {
    packages: ['jest@30'],
    manifest: { jest: { testMatch: ['**/*.test.mjs'], moduleFileExtensions: ['mjs', 'js'], transform: {} } },
    files: { 'a.test.mjs': JEST },
    steps: [['node', '--experimental-vm-modules', 'node_modules/jest/bin/jest.js']],
  },
  'jest, CommonJS': {
    packages: ['jest@30', '@babel/preset-env@7'],
    manifest: {
      type: 'commonjs',
      jest: {
        testMatch: ['**/*.test.js'],
        moduleFileExtensions: ['js', 'mjs'],
        transform: { '\\.m?js$': 'babel-jest' },
        transformIgnorePatterns: ['node_modules/(?!lstm-wasm/)'],
      },
    },
    files: {
      'babel.config.js': `module.exports = { presets: [['@babel/preset-env', { targets: { node: 'current' } }]] };\n`,
      'a.test.js': JEST,
    },
    steps: [['jest']],
  },
  esbuild: {
    packages: ['esbuild'],
    files: { 'main.mjs': PRINT },
    steps: [
      ['esbuild', 'main.mjs', '--bundle', '--minify', '--format=esm', '--outfile=out/main.mjs'],
      ['node', 'out/main.mjs'],
    ],
    quick: true,
  },
  Rollup: {
    packages: ['rollup@4', '@rollup/plugin-node-resolve'],
    files: { 'main.mjs': PRINT },
    steps: [
      ['rollup', 'main.mjs', '-p', 'node-resolve', '-f', 'es', '-o', 'out/main.mjs'],
      ['node', 'out/main.mjs'],
    ],
    quick: true,
  },
  Rolldown: {
    packages: ['rolldown'],
    files: { 'main.mjs': PRINT },
    steps: [
      ['rolldown', 'main.mjs', '-m', '-o', 'out/main.mjs'],
      ['node', 'out/main.mjs'],
    ],
    quick: true,
  },
  'no bundler': {
    packages: [],
    files: {
      'index.html': `<script type="importmap">${JSON.stringify({
        imports: Object.fromEntries([
          ['lstm-wasm', './node_modules/lstm-wasm/dist/index.js'],
          ...['audio', 'keras', 'onnx', 'ort'].map((door) => [
            `lstm-wasm/${door}`,
            `./node_modules/lstm-wasm/dist/${door}.js`,
          ]),
        ]),
      })}</script>${html('main.mjs')}`,
      'main.mjs': PAGE,
    },
    page: true,
    folder: '.',
    quick: true,
  },
  'Vite, build': {
    packages: ['vite'],
    files: { 'index.html': html('/main.mjs'), 'main.mjs': PAGE },
    steps: [['vite', 'build', '--base', './']],
    page: true,
    folder: 'dist',
    quick: true,
  },
  'Vite, dev': {
    packages: ['vite'],
    files: { 'index.html': html('/main.mjs'), 'main.mjs': PAGE },
    server: ['vite', '--port', 'PORT', '--host', '127.0.0.1'],
    page: true,
  },
  webpack: {
    packages: ['webpack@5', 'webpack-cli'],
    files: { 'dist/index.html': html('main.js'), 'src/index.js': PAGE.replace('./answer', '../answer') },
    steps: [['webpack', '--mode', 'production']],
    page: true,
    folder: 'dist',
    quick: true,
  },
  Rspack: {
    packages: ['@rspack/core', '@rspack/cli'],
    files: { 'dist/index.html': html('main.js'), 'src/index.js': PAGE.replace('./answer', '../answer') },
    steps: [['rspack', 'build', '--mode', 'production']],
    page: true,
    folder: 'dist',
  },
  Parcel: {
    packages: ['parcel@2'],
    manifest: { '@parcel/resolver-default': { packageExports: true } },
    files: { 'index.html': html('main.mjs'), 'main.mjs': PAGE },
    steps: [['parcel', 'build', 'index.html', '--public-url', './', '--no-cache']],
    page: true,
    folder: 'dist',
  },
  'Next, Turbopack': next('turbopack', {}, '/', { page: true }),
  'Next, webpack': next('webpack', {}, '/', { page: true }),
  'Next, edge runtime, Turbopack': next('turbopack', EDGE, '/api/edge'),
  'Next, edge runtime, webpack': next('webpack', EDGE, '/api/edge'),
  Astro: {
    packages: ['astro'],
    files: {
      'src/pages/index.astro': `---
import { answer } from '../../answer.mjs';
const server = await answer();
---
<html><body><p>{server}</p><script>
import { answer } from '../../answer.mjs';
document.title = await answer();
</script></body></html>
`,
    },
    steps: [['astro', 'build']],
    page: true,
    folder: 'dist',
    node: 22,
  },
  'Wrangler, dev': {
    packages: ['wrangler@4'],
    files: { 'worker.mjs': WORKER, 'wrangler.jsonc': WRANGLER },
    steps: [['wrangler', 'deploy', '--dry-run', '--outdir', 'out']],
    server: ['wrangler', 'dev', '--port', 'PORT'],
    node: 22,
  },
  'Cloudflare for Vite, build': {
    packages: ['wrangler@4', 'vite', '@cloudflare/vite-plugin'],
    files: {
      'worker.mjs': WORKER,
      'wrangler.jsonc': WRANGLER,
      'vite.config.mjs': `import { cloudflare } from '@cloudflare/vite-plugin';\nexport default { plugins: [cloudflare({ inspectorPort: false })] };\n`,
    },
    steps: [['vite', 'build']],
    server: ['vite', 'preview', '--port', 'PORT', '--host', '127.0.0.1'],
    node: 22,
  },
  'Cloudflare for Vitest': {
    packages: ['vitest@4', '@cloudflare/vitest-pool-workers'],
    files: {
      'worker.mjs': WORKER,
      'wrangler.jsonc': WRANGLER,
      'vitest.config.mjs': `import { cloudflareTest } from '@cloudflare/vitest-pool-workers';
export default { plugins: [cloudflareTest({ wrangler: { configPath: './wrangler.jsonc' } })] };
`,
      'a.test.mjs': VITEST,
    },
    steps: [['vitest', 'run']],
    node: 22,
  },
  'Nitro 2, cloudflare_module': {
    packages: ['nitropack@2', 'wrangler@4'],
    files: {
      'routes/index.ts': `import { answer } from '../answer.mjs';\nexport default defineEventHandler(() => answer());\n`,
      'nitro.config.ts': `export default { compatibilityDate: '2026-01-01', experimental: { wasm: true } };\n`,
    },
    steps: [['nitropack', 'build', '--preset', 'cloudflare_module']],
    server: [
      'wrangler',
      'dev',
      '.output/server/index.mjs',
      '--compatibility-date',
      '2026-01-01',
      '--assets',
      '.output/public',
      '--port',
      'PORT',
    ],
    node: 22,
  },
  'onnxruntime-node, @livekit/agents-plugin-silero': {
    packages: ['@livekit/agents', '@livekit/agents-plugin-silero', '@livekit/rtc-node'],
    // can run no model
    manifest: { overrides: { 'onnxruntime-node': 'npm:onnxruntime-common@^1.30.0' } },
    files: { 'main.mjs': readFileSync(new URL('programs/livekit.mjs', import.meta.url), 'utf8') },
    steps: [['node', '--import', 'lstm-wasm/register', 'main.mjs', fixture('mixed.wav')]],
    check(text) {
      const heard = JSON.parse(readFileSync(fixture('node.json'), 'utf8'))['agents-plugin-silero'];
      const found = JSON.parse(text);
      const apart = heard.probabilities.map((value, i) => Math.abs(value - found.probabilities[i]));
      const isSame = JSON.stringify(found.events) === JSON.stringify(heard.events) && Math.max(...apart) <= 5e-5;
      if (!isSame || found.probabilities.length !== apart.length)
        throw new Error(`it hears ${JSON.stringify(found.events)}`);
    },
    node: 22,
  },
  'Nitro 2, Node': {
    packages: ['nitropack@2'],
    files: {
      'routes/index.ts': `import { answer } from '../answer.mjs';\nexport default defineEventHandler(() => answer());\n`,
    },
    steps: [['nitropack', 'build']],
    server: ['node', '.output/server/index.mjs'],
  },
};
