// What the source maps of dist/*.js hold: enough for a stack trace and a debugger, in a quarter of the bytes.
import { decode, encode } from '@jridgewell/sourcemap-codec';
import ts from 'typescript';

/** In place of a source: where there is none, Vite looks for the file, and warns. */
const LEFT_OUT = '// not in this map';

/**
 * A map to lines instead of names and columns, with our sources less their comments. The embedded modules are left out, since the
 * file beside the map has them, and what comes from other packages, which are on npm.
 */
export function slim(map) {
  const sources = map.sources.map((path) => path.replace(/^(\.\.\/)+/, '../'));
  const isCode = (path) => path.startsWith('../src/') && !path.endsWith('/embedded.ts');
  return {
    version: 3,
    file: map.file,
    sources,
    sourcesContent: sources.map((path, i) => (isCode(path) ? withoutComments(map.sourcesContent[i]) : LEFT_OUT)),
    names: [],
    mappings: encode(decode(map.mappings).map(startsOfLines)),
  };
}

/** Of the segments of a generated line those that go to another source or line than the one before. */
function startsOfLines(segments) {
  const mapped = segments.filter(({ length }) => length >= 4);
  return mapped
    .filter(([, source, line], i) => i === 0 || source !== mapped[i - 1][1] || line !== mapped[i - 1][2])
    .map(([column, source, line]) => [column, source, line, 0]);
}

/** The same lines, those of comments empty. */
function withoutComments(text) {
  const file = ts.createSourceFile('source.ts', text, ts.ScriptTarget.Latest, true);
  const comments = new Map();
  const visit = (node) => {
    for (const range of ts.getLeadingCommentRanges(text, node.pos) ?? []) comments.set(range.pos, range);
    for (const range of ts.getTrailingCommentRanges(text, node.end) ?? []) comments.set(range.pos, range);
    for (const child of node.getChildren(file)) visit(child);
  };
  visit(file);
  const last = [...comments.values()].sort((a, b) => b.pos - a.pos);
  return last.reduce((code, { pos, end }) => {
    return code.slice(0, pos) + code.slice(pos, end).replace(/[^\n]+/g, '') + code.slice(end);
  }, text);
}
