import {
  converter,
  differenceCiede2000,
  filterDeficiencyDeuter,
  filterDeficiencyProt,
  filterDeficiencyTrit,
  type Rgb,
  wcagContrast,
} from 'culori';
import { describe, expect, test } from 'vitest';
import { colourMaps } from '../../build/colour-maps.mjs';
import { THEMES } from '../../build/tokens.mjs';

const distance = differenceCiede2000();
const rgb = converter('rgb');
const EYES: readonly (readonly [string, (colour: Rgb) => Rgb])[] = [
  ['all cones', (colour: Rgb) => colour],
  ['without long ones', filterDeficiencyProt(1) as (colour: Rgb) => Rgb],
  ['without middle ones', filterDeficiencyDeuter(1) as (colour: Rgb) => Rgb],
  ['without short ones', filterDeficiencyTrit(1) as (colour: Rgb) => Rgb],
];

describe.each(['light', 'dark'] as const)('%s', (name) => {
  const theme = THEMES[name];

  test.each(['ink', 'ink2', 'pen', 'rust', 'teal', 'plum'] as const)(
    '%s is read as text on paper and sheet',
    (colour) => {
      for (const ground of [theme.paper, theme.sheet])
        expect(wcagContrast(theme[colour], ground)).toBeGreaterThanOrEqual(4.5);
    },
  );

  test.each(['ink3', 'must'] as const)('%s is seen as a mark on the sheet', (colour) => {
    expect(wcagContrast(theme[colour], theme.sheet)).toBeGreaterThanOrEqual(3);
  });

  test('a primary button is read', () => {
    expect(wcagContrast(theme.sheet, theme.ink)).toBeGreaterThanOrEqual(4.5);
  });

  describe.each(EYES)('colours of one chart differ for eyes with %s', (_, seen) => {
    test.each([
      [['teal', 'rust', 'must'], 10],
      [['plum', 'ink', 'pen'], 10],
      [['pen', 'rust'], 20],
    ] as const)('%j by %i', (colours, least) => {
      for (const [n, a] of colours.entries()) {
        for (const b of colours.slice(n + 1)) {
          expect(distance(seen(rgb(theme[a])!), seen(rgb(theme[b])!)), `${a} and ${b}`).toBeGreaterThanOrEqual(least);
        }
      }
    });
  });

  test('maps begin and end where they say, and zero is the sheet', () => {
    const maps = colourMaps(name);
    const hex = (map: Uint8Array, n: number) =>
      `#${Buffer.from(map.subarray(3 * n, 3 * n + 3))
        .toString('hex')
        .toUpperCase()}`;
    expect([hex(maps.ink, 0), hex(maps.ink, 255)]).toEqual([theme.sheet, theme.ink]);
    expect([hex(maps.gate, 0), hex(maps.gate, 255)]).toEqual([theme.sheet, theme.slate]);
    expect([hex(maps.one, 0), hex(maps.one, 128)]).toEqual([theme.rust, theme.sheet]);
    expect([hex(maps.div, 0), hex(maps.div, 128)]).toEqual([theme.deepRust, theme.sheet]);
  });

  test('maps of one sign go one way from paper to ink', () => {
    const { ink } = colourMaps(name);
    const contrast = Array.from({ length: 256 }, (_, n) => {
      const [r, g, b] = ink.subarray(3 * n, 3 * n + 3);
      return wcagContrast({ mode: 'rgb', r: r! / 255, g: g! / 255, b: b! / 255 }, theme.sheet);
    });
    for (let n = 1; n < 256; n++) expect(contrast[n]!).toBeGreaterThanOrEqual(contrast[n - 1]! - 0.02);
  });
});
