import maps from 'virtual:colour-maps';

/** The page's colours, as the style sheet has them in the visitor's theme. */
export const COLOURS = [
  'paper',
  'sheet',
  'ink',
  'ink2',
  'ink3',
  'rule',
  'grid',
  'pen',
  'penwash',
  'rust',
  'teal',
  'plum',
  'must',
] as const;

export type Colour = (typeof COLOURS)[number];
export type MapName = 'ink' | 'pen' | 'rust' | 'gate' | 'one' | 'div';

export interface Theme extends Readonly<Record<Colour, string>> {
  readonly dark: boolean;
  /** Tables of 256 colours, [256][3] bytes. `one` and `div` have the colour of zero at 128. */
  readonly maps: Readonly<Record<MapName, Uint8Array>>;
}

const isDark = matchMedia('(prefers-color-scheme: dark)');
const listeners = new Set<() => void>();
let current: Theme | undefined;

isDark.addEventListener('change', () => {
  current = undefined;
  for (const listener of listeners) listener();
});

/** The colours that canvases draw with. */
export function theme(): Theme {
  current ??= read(isDark.matches);
  return current;
}

/** Calls `listener` each time that the visitor's theme changes. Returns what ends it. */
export function onThemeChange(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

function read(dark: boolean): Theme {
  const style = getComputedStyle(document.documentElement);
  const colours = Object.fromEntries(COLOURS.map((name) => [name, style.getPropertyValue(`--${name}`).trim()]));
  const tables = Object.entries(maps[dark ? 'dark' : 'light']).map(([name, text]) => [name, bytes(text)]);
  return { ...(colours as Record<Colour, string>), dark, maps: Object.fromEntries(tables) };
}

/** A table of 256 colours from 33 of them: every eighth, and the last. */
function bytes(base64: string): Uint8Array {
  const stops = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
  return Uint8Array.from({ length: 768 }, (_, n) => {
    const [colour, channel] = [Math.floor(n / 3), n % 3];
    const [from, to] = [stops[3 * (colour >> 3) + channel]!, stops[3 * (colour >> 3) + 3 + channel]!];
    // the last stretch has seven steps
    return Math.round(from + ((to - from) * (colour & 7)) / (colour >= 248 ? 7 : 8));
  });
}
