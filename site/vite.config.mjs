import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vite';
import { colourMapsPlugin } from './build/colour-maps.mjs';
import { doorsPlugin } from './build/doors.mjs';
import { licencesPlugin } from './build/licences.mjs';
import { offlinePlugin } from './build/offline.mjs';
import { partialsPlugin } from './build/partials.mjs';
import { preloadPlugin } from './build/preload.mjs';
import { startSizePlugin } from './build/start-size.mjs';
import { tokensPlugin } from './build/tokens.mjs';

const here = new URL('.', import.meta.url);
const path = (relative) => fileURLToPath(new URL(relative, here));

// The package as it is published: dist/, which `npm run build` in the folder above makes.
export const alias = [
  { find: /^lstm-wasm$/, replacement: path('../dist/index.js') },
  { find: /^lstm-wasm\/([\w-]+)$/, replacement: path('../dist/$1.js') },
];

/** Licence files that go into licences.txt, as they are. */
const LICENCES = [
  '../LICENSE',
  // of what lstm-wasm/onnx and its zip reader have taken in
  '../dist/onnx.LICENSE.txt',
  '../dist/zip.LICENSE.txt',
  '../examples/voice-activity/data/LICENSES.md',
  '../examples/denoise/data/LICENSES.md',
  '../examples/guitar-amp/data/LICENSES.md',
  '../examples/guitar-amp/data/nam/LICENSE.nam.txt',
  '../examples/guitar-amp/data/guitarml/LICENSE.neuralseed.txt',
  '../examples/word-segmentation/data/LICENSES.md',
  '../examples/word-segmentation/data/LICENSE.unicode.txt',
  '../test/fixtures/dtln/LICENSE',
  'node_modules/@fontsource/ibm-plex-sans/LICENSE',
];
/** Chunks with code of the package have it in their names: receipts count their bytes. */
const chunkFileNames = ({ moduleIds }) =>
  moduleIds.some((id) => id.startsWith(path('../dist/')))
    ? 'assets/lstm-wasm.[name]-[hash].js'
    : 'assets/[name]-[hash].js';

export default defineConfig({
  root: path('.'),
  // relative addresses: the built folder works below any path of a host
  base: './',
  // code of the examples takes the page's fft.js, not one of its own
  resolve: { alias, dedupe: ['fft.js'] },
  plugins: [
    doorsPlugin(),
    tokensPlugin(),
    colourMapsPlugin(),
    partialsPlugin(here),
    startSizePlugin(here),
    preloadPlugin(/plex-sans-latin-400-.*woff2$/),
    licencesPlugin(here, LICENCES),
    offlinePlugin(),
  ],
  worker: { format: 'es', plugins: () => [doorsPlugin()] },
  server: { fs: { allow: [path('..')] } },
  build: {
    target: 'es2022',
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    rolldownOptions: { output: { chunkFileNames } },
  },
});
