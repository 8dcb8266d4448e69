// Figures with units, as the page prints them: a thin number, a space, the unit.

/** A duration: "136 µs", "1.24 ms", "11.8 s". @param seconds at least 0 */
export function duration(seconds: number): string {
  if (seconds < 1e-3) return `${figures(seconds * 1e6)} µs`;
  return seconds < 1 ? `${figures(seconds * 1e3)} ms` : `${figures(seconds)} s`;
}

/** A size: "26 KB", "0.86 MB". One KB is 1,000 bytes. */
export function size(bytes: number): string {
  if (bytes < 1000) return `${bytes} bytes`;
  return bytes < 999_500 ? `${figures(bytes / 1e3, 2)} KB` : `${figures(bytes / 1e6, 2)} MB`;
}

/** A number with separators: "1,282". */
export function count(value: number): string {
  return value.toLocaleString('en-US');
}

/** A time on a ruler or beside a playhead. @param decimals 2 gives "9.63 s" */
export function time(seconds: number, decimals = 2): string {
  return `${seconds.toFixed(decimals)} s`;
}

/** A signed value with a true minus sign: "−0.82". */
export function signed(value: number, decimals = 2): string {
  const text = Math.abs(value).toFixed(decimals);
  return value < 0 && Number(text) !== 0 ? `−${text}` : text;
}

/** Decibels relative to full scale, of an amplitude in 0 .. 1. */
export function decibels(amplitude: number): string {
  return amplitude > 0 ? `${signed(20 * Math.log10(amplitude), 1)} dB` : 'silence';
}

/** Three significant figures, without an exponent. */
function figures(value: number, digits = 3): string {
  if (value >= 100) return count(Math.round(value));
  return String(Number(value.toPrecision(digits)));
}
