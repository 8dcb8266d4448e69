/**
 * Colours by their use: `ink` for text and peers, `ink2` for labels, `ink3` for marks beside the point, `pen` for ours, `rust` for where
 * we lose, `tint` behind that; `sheet` is what the picture lies on.
 * @typedef {Record<'ink' | 'ink2' | 'ink3' | 'rule' | 'faint' | 'sheet' | 'pen' | 'rust' | 'tint', string>} Theme
 */

/** For a README, on the white and the dark page of a code host. @type {Record<'light' | 'dark', Theme>} */
export const THEMES = {
  light: {
    ink: '#1f2328',
    ink2: '#59636e',
    ink3: '#818b98',
    rule: '#d1d9e0',
    faint: '#afb8c1',
    sheet: '#ffffff',
    pen: '#2340E6',
    rust: '#A8400A',
    tint: '#FBF1E9',
  },
  dark: {
    ink: '#e6edf3',
    ink2: '#9198a1',
    ink3: '#7d8590',
    rule: '#3d444d',
    faint: '#565e68',
    sheet: '#0d1117',
    pen: '#8FA5FF',
    rust: '#EE8A3A',
    tint: '#1d1713',
  },
};
