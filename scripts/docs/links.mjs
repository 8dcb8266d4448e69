// Every link and picture in the pages that `npm run docs` has written leads to a file, and to a heading if it names one. Links that
// leave the folder lead to the page around it.
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

const folder = fileURLToPath(new URL('../../site/public/api', import.meta.url));
const pages = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.html'));
const texts = new Map(pages.map((page) => [join(folder, page), readFileSync(join(folder, page), 'utf8')]));
const ids = new Map([...texts].map(([path, text]) => [path, new Set(text.match(/(?<=\sid=")[^"]*/g))]));

const wrong = [];
let count = 0;
for (const [path, text] of texts) {
  for (const [, link] of text.matchAll(/\s(?:href|src)="([^"]*)"/g)) {
    if (/^(https?|data):/.test(link)) continue;
    count++;
    const [address, id = ''] = link.split('#').map(decodeURIComponent);
    const target = address ? join(dirname(path), address) : path;
    if (relative(folder, target).startsWith('..')) continue;
    const isThere = existsSync(target) && statSync(target).isFile();
    const known = ids.get(target);
    if (!isThere || (id && known && !known.has(id))) wrong.push(`${relative(folder, path)}: ${link}`);
  }
}
for (const line of wrong) console.error(`leads nowhere: ${line}`);
console.log(`${pages.length} pages, ${count} links`);
if (wrong.length || pages.length === 0) process.exitCode = 1;
