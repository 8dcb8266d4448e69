// Tables of 256 colours for heat maps and spectrograms, interpolated in OKLab when the site is built: the page carries the bytes alone.
import { converter, interpolate } from 'culori';
import { THEMES } from './tokens.mjs';

const rgb = converter('rgb');

/** Colours from the map's lowest value to its highest. Zero of the diverging maps is the sheet, and is index 128. */
function stops({ sheet, ink, pen, rust, slate, deepPen, deepRust }) {
  return {
    ink: [sheet, ink],
    pen: [sheet, pen, deepPen],
    rust: [sheet, rust],
    gate: [sheet, slate],
    one: [rust, sheet, pen],
    div: [deepRust, rust, sheet, pen, deepPen],
  };
}

/**
 * The tables of a theme.
 * @param {'light' | 'dark'} theme
 * @returns {Record<'ink' | 'pen' | 'rust' | 'gate' | 'one' | 'div', Uint8Array>} [256][3] each, red, green and blue
 */
export function colourMaps(theme) {
  const maps = Object.entries(stops(THEMES[theme])).map(([name, colours]) => {
    const between = interpolate(colours, 'oklab');
    // an odd number of steps, so that the middle colour of a diverging map is met: index 255 repeats 254
    const steps = colours.length % 2 ? 256 : 255;
    const table = Uint8Array.from({ length: 256 }, (_, n) => n).reduce((bytes, n) => {
      const { r, g, b } = rgb(between(Math.min(1, n / steps)));
      bytes.set(
        [r, g, b].map((part) => Math.round(255 * Math.min(1, Math.max(0, part)))),
        3 * n,
      );
      return bytes;
    }, new Uint8Array(768));
    return [name, table];
  });
  return Object.fromEntries(maps);
}

/** Every eighth colour of a table, and the last: those between are so near that the page finds them by itself. */
function stopsOf(table) {
  return [...Array.from({ length: 32 }, (_, n) => 8 * n), 255].flatMap((n) => [...table.subarray(3 * n, 3 * n + 3)]);
}

/** A Vite plugin: `virtual:colour-maps` has 33 colours of each table of both themes as base64. */
export function colourMapsPlugin() {
  const id = 'virtual:colour-maps';
  return {
    name: 'colour-maps',
    resolveId: (source) => (source === id ? `\0${id}` : undefined),
    load(source) {
      if (source !== `\0${id}`) return undefined;
      const text = (theme) =>
        Object.fromEntries(
          Object.entries(colourMaps(theme)).map(([name, table]) => [
            name,
            Buffer.from(stopsOf(table)).toString('base64'),
          ]),
        );
      return `export default ${JSON.stringify({ light: text('light'), dark: text('dark') })};`;
    },
  };
}
