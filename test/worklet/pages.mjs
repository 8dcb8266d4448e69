import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { extname, join, normalize } from 'node:path';

// Pages of this repository in whole browsers: a page of its own, not one of a test runner.

/**
 * Imports a module by its path in the repository, calls one of its exports with an argument, and gives its result as JSON has it.
 * @param {import('../../scripts/browsers.mjs').Page} page
 * @param {string} path
 * @param {string} name
 * @param {unknown} [argument]
 */
export function callIn(page, path, name, argument) {
  const [from, what, given] = [path, name, argument ?? null].map((value) => JSON.stringify(value));
  return page.evaluate(`import(${from}).then((module) => module[${what}](${given}))`);
}

const TYPES = {
  '.html': 'text/html',
  '.js': 'text/javascript',
  '.mjs': 'text/javascript',
};

/** Serves the files below `root`; '/' is an empty page. @param {string} root */
export async function serve(root) {
  const server = createServer(async ({ url = '/' }, response) => {
    const path = normalize(decodeURIComponent(new URL(url, 'http://localhost').pathname));
    try {
      const body = path === '/' ? '<!doctype html><title>page</title>' : await readFile(join(root, path));
      response.setHeader('content-type', TYPES[extname(path) || '.html'] ?? 'application/octet-stream');
      response.end(body);
    } catch {
      response.statusCode = 404;
      response.end();
    }
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(undefined)));
  return { url: `http://127.0.0.1:${/** @type {import('node:net').AddressInfo} */ (server.address()).port}/`, server };
}
