import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';

const PLACE = /%start-kilobytes%/g;

/**
 * The code of a panel's <pre>, as text.
 * @param {URL} file
 * @param {string} id of the <pre>
 */
export function codeOf(file, id) {
  const html = readFileSync(file, 'utf8');
  const [, code] = html.match(new RegExp(`<pre id="${id}"[^>]*><code>([^]*?)</code></pre>`)) ?? [];
  if (!code) throw new Error(`${fileURLToPath(file)} has no <pre id="${id}"> with code`);
  return code
    .replace(/<[^>]+>/g, '')
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&amp;', '&');
}

/** A Vite plugin: the size in the headline is that of the code beside it, bundled, minified and gzipped as a page would load it. */
export function startSizePlugin(root) {
  return {
    name: 'start-size',
    async transformIndexHtml(html) {
      if (!PLACE.test(html)) return html;
      const code = codeOf(new URL('src/panels/home/panel.html', root), 'start-code');
      const { outputFiles } = await build({
        stdin: { contents: `${code}\nexport { output, hn, cn };`, resolveDir: fileURLToPath(new URL('..', root)) },
        bundle: true,
        minify: true,
        format: 'esm',
        target: 'es2022',
        write: false,
      });
      const bytes = gzipSync(outputFiles[0].contents, { level: 9 }).length;
      return html.replace(PLACE, String(Math.round(bytes / 1000)));
    },
  };
}
