// Makes what the page shows from the repository's recordings and models: runs each make-*.mjs beside this file. They write to public/built/.
import { readdirSync } from 'node:fs';

for (const name of readdirSync(import.meta.dirname).sort()) {
  if (/^make-.*\.mjs$/.test(name)) await import(`./${name}`);
}
