// What `npm run docs` adds to typedoc: names of modules and documents, the page's fonts, and a way back to the page.
import { cpSync } from 'node:fs';
import { join } from 'node:path';
import { Comment, Converter, JSX, ReflectionKind, RendererEvent } from 'typedoc';
import { DOORS } from './doors.mjs';

/** The folder of a document under docs/ and its group in the list at the side. */
const GROUPS = { 'docs/guides': 'Guides', 'docs/formats': 'Formats', docs: 'Reference', benchmarks: 'Reference' };
const FONTS = ['sans-latin-400', 'sans-latin-600', 'mono-latin-400'];

/** @param {string} root the repository */
export function makePlugin(root) {
  return function lstmWasm(app) {
    app.converter.on(Converter.EVENT_RESOLVE_BEGIN, ({ project }) => {
      for (const module of project.getChildrenByKind(ReflectionKind.Module)) {
        const { name, summary } = DOORS.get(module.name);
        module.name = name;
        module.comment = new Comment(parts(summary));
      }
      // the page has a heading of its own
      project.readme[0].text = project.readme[0].text.replace(/^# .*\n/, '');
      for (const document of project.documents ?? []) {
        document.name = headingOf(document);
        const path = project.files.getReflectionPath(document).slice(root.length + 1);
        document.frontmatter.group = GROUPS[path.slice(0, path.lastIndexOf('/'))];
      }
    });
    app.renderer.hooks.on('sidebar.begin', (context) => {
      const top = context.relativeURL('index.html').replace(/index\.html$/, '');
      return JSX.createElement('a', { class: 'to-page', href: `${top}../` }, 'See it work: the page');
    });
    app.renderer.on(RendererEvent.END, ({ outputDirectory }) => {
      for (const font of FONTS) {
        const [family] = font.split('-');
        const file = `ibm-plex-${font}-normal.woff2`;
        const from = join(root, `site/node_modules/@fontsource/ibm-plex-${family}/files`, file);
        cpSync(from, join(outputDirectory, 'assets/fonts', file));
      }
    });
  };
}

/** A sentence as typedoc has it: text and code by turns. */
function parts(sentence) {
  return sentence.split(/(`[^`]*`)/).map((text) => ({ kind: text.startsWith('`') ? 'code' : 'text', text }));
}

/** The words of a document's first heading, which may be in several parts, of text and code. */
function headingOf({ content }) {
  const end = content.findIndex(({ text }) => text.includes('\n'));
  const words = content.slice(0, end + 1).map(({ text }) => text.split('\n')[0]);
  return words.join('').replace(/^# /, '').replaceAll('`', '');
}
