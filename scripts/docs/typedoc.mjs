// The API reference: typedoc's options for `npm run docs`. Its modules are the doors in package.json under the names by which they are
// imported; its documents are the pages of docs/. A warning is an error: a link that leads nowhere, a type that is not exported.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { colourRule } from './colours.mjs';
import { DOORS } from './doors.mjs';
import { makePlugin } from './plugin.mjs';

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));

const style = join(root, 'build/docs.css');
mkdirSync(dirname(style), { recursive: true });
writeFileSync(style, readFileSync(join(root, 'scripts/docs/style.css'), 'utf8') + colourRule());

export default {
  entryPoints: [...DOORS.keys()].map((source) => join(root, `src/${source}.ts`)),
  tsconfig: join(root, 'tsconfig.json'),
  name: 'lstm-wasm',
  readme: join(root, 'README.md'),
  projectDocuments: ['docs/guides/*.md', 'docs/*.md', 'docs/formats/*.md', 'benchmarks/README.md'].map((path) =>
    join(root, path),
  ),
  out: join(root, 'site/public/api'),
  plugin: [makePlugin(root)],
  includeVersion: true,
  hideGenerator: true,
  disableSources: true,
  excludePrivate: true,
  excludeProtected: true,
  excludeInternal: true,
  excludeExternals: true,
  groupOrder: ['Guides', 'Modules', 'Formats', 'Reference', '*'],
  navigation: { includeGroups: true, compactFolders: false },
  favicon: join(root, 'site/src/styles/mark.svg'),
  customCss: style,
  lightHighlightTheme: 'github-light-default',
  darkHighlightTheme: 'github-dark-default',
  highlightLanguages: ['typescript', 'javascript', 'python', 'bash', 'console', 'json'],
  // test/examples-in-docs.node.test.ts wants a docblock on every export and member
  validation: { notExported: true, invalidLink: true, invalidPath: true, rewrittenLink: true, notDocumented: false },
  treatWarningsAsErrors: true,
  treatValidationWarningsAsErrors: true,
};
