// The texts of modules come first in users' bundles and side by side: a bundler puts a file where it is first imported, and gzip finds
// again what repeats within 32 KB. With esbuild this saves 550 bytes of `lstm-wasm/onnx`.

/** The statements at the head of a minified file. */
const IMPORTS = /^(?:import\{[^{}]*\}from"\.\/[^"]+";)+/;
/** What is imported before all else, because it has or imports the text of lstm-onnx.wasm or lstm-gru.wasm. */
const FIRST = ['./embedded-onnx.js', './embedded-gru.js', './embedded.js', './cells.js', './onnx.js'];

function rank(statement) {
  const place = FIRST.findIndex((path) => statement.endsWith(`"${path}";`));
  return place < 0 ? FIRST.length : place;
}

/** Sorts the imports of each file; nothing that they load depends on which of them comes first. */
export const importOrder = {
  name: 'import-order',
  generateBundle(_options, bundle) {
    for (const chunk of Object.values(bundle)) {
      if (chunk.type !== 'chunk') continue;
      // statements only change places, so that the maps of what follows hold
      chunk.code = chunk.code.replace(IMPORTS, (head) =>
        head
          .match(/import.*?;/g)
          .sort((a, b) => rank(a) - rank(b))
          .join(''),
      );
    }
  },
};
