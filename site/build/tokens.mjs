// The page's colours, the one place where they stand: the style sheet's custom properties and the colour maps are made of them.

export const THEMES = {
  light: {
    paper: '#F5F7F6',
    sheet: '#FFFFFF',
    ink: '#12211E',
    ink2: '#4C5E59',
    ink3: '#74847F',
    rule: '#D3DCD9',
    grid: '#E9EEEC',
    pen: '#2340E6',
    penwash: '#E9EDFF',
    rust: '#A8400A',
    teal: '#007A66',
    plum: '#B01E6B',
    must: '#A88300',
    slate: '#33443F',
    deepPen: '#0A1466',
    deepRust: '#4A1A02',
  },
  dark: {
    paper: '#0B1110',
    sheet: '#101817',
    ink: '#E4ECE9',
    ink2: '#9BAEA9',
    ink3: '#6C7F7A',
    rule: '#273533',
    grid: '#18221F',
    pen: '#8FA5FF',
    penwash: '#182036',
    rust: '#EE8A3A',
    teal: '#3CC9AE',
    plum: '#FF86B8',
    must: '#F4E07A',
    slate: '#B9CAC5',
    deepPen: '#E3E9FF',
    deepRust: '#FFE2C8',
  },
};

const properties = (theme) =>
  Object.entries(THEMES[theme])
    .map(([name, colour]) => `--${name}: ${colour};`)
    .join(' ');

/** A Vite plugin: `virtual:tokens.css` has the colours as custom properties. */
export function tokensPlugin() {
  const id = 'virtual:tokens.css';
  return {
    name: 'tokens',
    resolveId: (source) => (source === id ? `\0${id}` : undefined),
    load: (source) =>
      source === `\0${id}`
        ? `:root { color-scheme: light dark; ${properties('light')} }
@media (prefers-color-scheme: dark) { :root { ${properties('dark')} } }`
        : undefined,
  };
}
