declare module 'virtual:colour-maps' {
  import type { MapName } from './kit/theme.ts';

  const maps: Record<'light' | 'dark', Record<MapName, string>>;
  export default maps;
}
declare module 'virtual:tokens.css';
declare module 'fft.js';
