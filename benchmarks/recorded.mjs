// Reads what RESULTS.md has on peers back into rows, so that its charts are drawn from what readers see.

const SECTION = /<!-- begin peers: (.+?) -->\n([\s\S]*?)<!-- end peers: \1 -->/g;
const HEADING = /^### Against the peers: (.+)\n\n(.+?); (\d{4}-\d\d-\d\d); one core(; a quick run)?\.$/m;

/**
 * Times are microseconds: the median, and the 95th percentile; `ratio` is how many times as long as ours.
 * @typedef {{ us: number, p95?: number, ratio?: number }} Time
 * @typedef {{ key: string, runtime: string, cpu: string, date: string, quick: boolean, versions: Record<string, string>,
 *   shapes: { name: string, times: Record<string, Time> }[] }} Run
 */

/**
 * @param {string} markdown RESULTS.md
 * @returns {Run[]}
 */
export function recordedRuns(markdown) {
  return [...markdown.matchAll(SECTION)].map(([, key, text]) => {
    const heading = text.match(HEADING);
    if (!heading) throw new Error(`RESULTS.md, "peers: ${key}": expected a heading with runtime, processor and date`);
    const [, runtime, cpu, date, quick] = heading;
    const medians = tableAfter(text, 'Microseconds, median');
    const late = tableAfter(text, 'The 95th percentile');
    const shapes = medians.rows.map(([name, ...cells], i) => {
      const tails = late.rows[i]?.[0] === name ? late.rows[i].slice(1) : [];
      const times = medians.names.flatMap(({ name }, column) => {
        const us = Number.parseFloat(cells[column]);
        const ratio = Number(cells[column].match(/\((.+)\)/)?.[1]);
        const p95 = Number.parseFloat(tails[column]);
        return us > 0 ? [[name, { us, ...(p95 > 0 && { p95 }), ...(ratio > 0 && { ratio }) }]] : [];
      });
      return { name, times: Object.fromEntries(times) };
    });
    const versions = Object.fromEntries(medians.names.map(({ name, version }) => [name, version]));
    return { key, runtime, cpu, date, quick: quick !== undefined, versions, shapes };
  });
}

/** The first table after a sentence: names and versions of the head, and the cells of each row. */
function tableAfter(text, sentence) {
  const start = text.indexOf(`\n${sentence}`);
  if (start < 0) return { names: [], rows: [] };
  const [, table = ''] = text.slice(start).match(/\n\n((?:\|.*\n)+)/) ?? [];
  const [head, , ...rows] = table.trim().split('\n').map(cellsOf);
  const names = head.slice(1).map((cell) => {
    const [, name, version = ''] = cell.match(/^(.*?)(?: (\d+\.\d+\.\d+\S*))?$/) ?? [];
    return { name, version };
  });
  return { names, rows };
}

const cellsOf = (line) =>
  line
    .split('|')
    .slice(1, -1)
    .map((cell) => cell.trim());
