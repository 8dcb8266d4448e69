// What the source maps of dist/*.js hold: enough for a stack trace and a debugger, in a quarter of the bytes.
import { decode, encode } from '@jridgewell/sourcemap-codec';
import ts from 'typescript';

/** In place of a source: where there is none, Vite looks for the file, and warns. */
const LEFT_OUT = '// not in this map';

const WITHOUT_CODE = [
  ts.isImportDeclaration,
  ts.isExportDeclaration,
  ts.isInterfaceDeclaration,
  ts.isTypeAliasDeclaration,
  (node) => ts.isPropertyDeclaration(node) && !node.initializer && ts.isIdentifier(node.name),
];

/**
 * A map to lines instead of names and columns, with the code of our sources. What comes from other packages, which are on npm, is
 * not mapped: stack traces name its place in the bundle. The embedded modules are left out, since the file beside the map has them.
 */
export function slim(map) {
  const sources = map.sources.map((path) => path.replace(/^(\.\.\/)+/, '../'));
  const isOurs = sources.map((path) => path.startsWith('../src/'));
  const isCode = (path, i) => isOurs[i] && !path.endsWith('/embedded.ts');
  return {
    version: 3,
    file: map.file,
    sources,
    sourcesContent: sources.map((path, i) => (isCode(path, i) ? onlyCode(map.sourcesContent[i]) : LEFT_OUT)),
    names: [],
    mappings: encode(decode(map.mappings).map((segments) => startsOfLines(segments, isOurs))),
  };
}

/** Of the segments of a generated line those that go to another source or line than the one before, or away from our sources. */
function startsOfLines(segments, isOurs) {
  const mapped = segments
    .filter(({ length }) => length >= 4)
    .map(([column, source, line]) => (isOurs[source] ? [column, source, line, 0] : [column]));
  return mapped.filter((segment, i) => i === 0 || segment[1] !== mapped[i - 1][1] || segment[2] !== mapped[i - 1][2]);
}

/** The same lines, empty where nothing runs: those of comments, imports, types, and fields without a value. */
function onlyCode(text) {
  const file = ts.createSourceFile('source.ts', text, ts.ScriptTarget.Latest, true);
  const ranges = new Map();
  const visit = (node) => {
    for (const range of ts.getLeadingCommentRanges(text, node.pos) ?? []) ranges.set(range.pos, range);
    for (const range of ts.getTrailingCommentRanges(text, node.end) ?? []) ranges.set(range.pos, range);
    if (WITHOUT_CODE.some((is) => is(node))) ranges.set(node.getStart(), { pos: node.getStart(), end: node.end });
    else for (const child of node.getChildren(file)) visit(child);
  };
  visit(file);
  const last = [...ranges.values()].sort((a, b) => b.pos - a.pos);
  const code = last.reduce((rest, { pos, end }) => {
    return rest.slice(0, pos) + rest.slice(pos, end).replace(/[^\n]+/g, '') + rest.slice(end);
  }, text);
  return code.replace(/[ \t]+$/gm, '');
}
