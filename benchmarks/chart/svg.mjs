import { textBox } from './text.mjs';

/** Fonts of readers' systems, for pictures that bring none. */
export const SYSTEM_FONT = "-apple-system,BlinkMacSystemFont,'Segoe UI','Noto Sans',Helvetica,Arial,sans-serif";

const ENTITIES = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };

/** Control characters, halves of pairs and what is no character: most of them have no place in XML, not even as an entity. */
const FORBIDDEN = /[\p{Cc}\p{Cs}\p{Noncharacter_Code_Point}]/gu;

const markup = (text) =>
  String(text)
    .replace(FORBIDDEN, '')
    .replace(/[&<>"]/g, (one) => ENTITIES[one]);

/** Two decimals, which is a fortieth of what a screen shows. */
const short = (value) => (typeof value === 'number' ? Number(value.toFixed(2)) : value);

/** An element; attributes that are undefined are left out. `children` is markup. */
export function element(name, attributes, children = '') {
  const all = Object.entries(attributes).filter(([, value]) => value !== undefined);
  const text = all.map(([key, value]) => ` ${key}="${markup(short(value))}"`).join('');
  return children ? `<${name}${text}>${children}</${name}>` : `<${name}${text}/>`;
}

/**
 * What a chart consists of, in the order of drawing. `box` is where texts and marks lie; `full` is the text before it was cut.
 * @typedef {import('./text.mjs').Box} Box
 * @typedef {{ kind: 'text' | 'mark' | 'shape', svg: string, box?: Box, text?: string }} Item
 * @typedef {{ width: number, height: number, title: string, description: string, items: Item[] }} Scene
 */

/**
 * @param {import('./text.mjs').Label & { fill: string, full?: string, font?: string }} label
 * @returns {Item}
 */
export function text(label) {
  const { x, y, size, bold, anchor = 'start', fill, full, font } = label;
  const attributes = {
    x,
    y,
    fill,
    'text-anchor': anchor === 'start' ? undefined : anchor,
    'font-weight': bold ? 600 : undefined,
    'font-size': size,
    'font-family': font,
  };
  const title = full === undefined || full === label.text ? '' : element('title', {}, markup(full));
  return {
    kind: 'text',
    svg: element('text', attributes, title + markup(label.text)),
    box: textBox(label),
    text: label.text,
  };
}

/** @returns {Item} */
export const shape = (name, attributes) => ({ kind: 'shape', svg: element(name, attributes) });

/**
 * The picture as a string.
 * @param {Scene} scene
 * @param {{ id?: string, font?: string, hidden?: boolean }} [options] `id`: of its title, unique in a page; `hidden`: a table beside it says the same
 */
export function render(
  { width, height, title, description, items },
  { id = 't', font = SYSTEM_FONT, hidden = false } = {},
) {
  const said = hidden ? { 'aria-hidden': 'true' } : { role: 'img', 'aria-labelledby': `${id} ${id}d` };
  const words = hidden
    ? ''
    : element('title', { id }, markup(title)) + element('desc', { id: `${id}d` }, markup(description));
  const attributes = {
    xmlns: 'http://www.w3.org/2000/svg',
    width,
    height,
    viewBox: `0 0 ${width} ${height}`,
    ...said,
    'font-family': font,
  };
  return element('svg', attributes, words + items.map(({ svg }) => svg).join(''));
}
