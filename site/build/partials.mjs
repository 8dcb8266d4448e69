// The page is one HTML file when it is served; each panel's part of it stands beside the panel's code.
import { existsSync, readFileSync } from 'node:fs';

/** A Vite plugin: puts `src/panels/NAME/panel.html` in the place of `<!-- panel: NAME -->`. */
export function partialsPlugin(root) {
  const pattern = /[ \t]*<!-- panel: (\w+) -->/g;
  return {
    name: 'partials',
    transformIndexHtml: {
      order: 'pre',
      handler: (html) =>
        html.replace(pattern, (_, name) => {
          const path = new URL(`src/panels/${name}/panel.html`, root);
          if (!existsSync(path)) return '';
          return readFileSync(path, 'utf8').trimEnd();
        }),
    },
  };
}
