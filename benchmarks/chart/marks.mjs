import { element } from './svg.mjs';

/**
 * How a contestant is drawn: ours a disc, with 8 bits a ring; onnxruntime-web a square, onnxruntime-node an open one, their 8 bits triangles;
 * the others are smaller in weight. `short` is its name where the long one was said already.
 * @typedef {{ name: string, short: string, mark: keyof typeof MARKS, color: 'pen' | 'ink' | 'ink2' | 'ink3', line: string, weight?: number, dash?: string, strong?: boolean }} Style
 */

/** @type {Record<string, Style>} in the order of drawing, the last on top */
const STYLES = {
  'brain.js': { name: 'brain.js', short: 'brain.js', mark: 'cross', color: 'ink3', line: 'rule' },
  'tfjs-cpu': { name: 'tfjs-cpu', short: 'tfjs-cpu', mark: 'openDiamond', color: 'ink3', line: 'rule' },
  plain: { name: 'plain JavaScript', short: 'plain', mark: 'tick', color: 'ink2', line: 'faint', dash: '2 3' },
  'tfjs-wasm': { name: 'tfjs-wasm', short: 'tfjs-wasm', mark: 'diamond', color: 'ink3', line: 'rule' },
  'ort-web int8': {
    name: 'onnxruntime-web, 8 bits',
    short: '-web, 8 bits',
    mark: 'triangle',
    color: 'ink2',
    line: 'rule',
  },
  'ort-node int8': {
    name: 'onnxruntime-node, 8 bits',
    short: '-node, 8 bits',
    mark: 'openTriangle',
    color: 'ink2',
    line: 'rule',
  },
  'ort-node': {
    name: 'onnxruntime-node',
    short: '-node',
    mark: 'openSquare',
    color: 'ink',
    line: 'ink3',
    strong: true,
  },
  'ort-web': {
    name: 'onnxruntime-web',
    short: '-web',
    mark: 'square',
    color: 'ink',
    line: 'ink',
    weight: 1.25,
    strong: true,
  },
  'ours int8': { name: 'ours, 8 bits', short: 'ours, 8 bits', mark: 'ring', color: 'pen', line: 'pen', strong: true },
  ours: { name: 'lstm-wasm', short: 'lstm-wasm', mark: 'disc', color: 'pen', line: 'pen', strong: true },
};

/** @returns {Style} a contestant that nobody has heard of gets a cross */
export function styleOf(name) {
  return STYLES[name] ?? { name, short: name, mark: 'cross', color: 'ink3', line: 'rule' };
}

/** Those of `names` that are known in the order of drawing, the others below them. */
export function drawingOrder(names) {
  const known = Object.keys(STYLES);
  return [...names].sort((a, b) => known.indexOf(a) - known.indexOf(b));
}

const filled = (path) => (color) => element('path', { d: path, fill: color });
const open = (path) => (color, sheet) =>
  element('path', { d: path, fill: sheet, stroke: color, 'stroke-width': 1.5, 'stroke-linejoin': 'round' });

/** Around 0, 0: half width, half height, and the markup for a colour. */
const MARKS = {
  disc: { half: [5, 5], draw: (color) => element('circle', { r: 5, fill: color }) },
  ring: {
    half: [5.5, 5.5],
    draw: (color, sheet) => element('circle', { r: 4.5, fill: sheet, stroke: color, 'stroke-width': 1.75 }),
  },
  square: { half: [5, 5], draw: filled('M-5-5h10v10h-10z') },
  openSquare: { half: [5, 5], draw: open('M-4.25-4.25h8.500v8.500h-8.500z') },
  triangle: { half: [5, 5.5], draw: filled('M-5 0l9.500-5.500v11z') },
  openTriangle: { half: [5, 5.5], draw: open('M-4.500 0l8.500-5v10z') },
  diamond: { half: [6, 6], draw: filled('M0-6l6 6-6 6-6-6z') },
  openDiamond: { half: [5.5, 5.5], draw: open('M0-5l5 5-5 5-5-5z') },
  tick: { half: [1, 7], draw: filled('M-1-7h2v14h-2z') },
  cross: {
    half: [4, 4],
    draw: (color) => element('path', { d: 'M-4-4l8 8m0-8l-8 8', stroke: color, 'stroke-width': 1.5, fill: 'none' }),
  },
};

/**
 * A mark in a scene.
 * @returns {import('./svg.mjs').Item & { box: import('./text.mjs').Box }}
 */
export function markAt(x, y, kind, color, sheet) {
  const { half, draw } = MARKS[kind];
  const svg = element(
    'g',
    { transform: `translate(${Number(x.toFixed(2))} ${Number(y.toFixed(2))})` },
    draw(color, sheet),
  );
  return { kind: 'mark', svg, box: { left: x - half[0], right: x + half[0], top: y - half[1], bottom: y + half[1] } };
}
