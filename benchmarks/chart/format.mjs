/** Two digits, from 100 on the integer, thousands apart: 0.19, 3.3, 12, 1,630. */
export function figure(value) {
  if (value >= 999.5) return thousands(Number(value.toPrecision(3)));
  if (value >= 99.5) return value.toFixed(0);
  return plain(value);
}

/** 0.88×, 1.0×, 87× */
export const times = (ratio) => `${figure(ratio)}×`;

const UNITS = [
  ['s', 1e6],
  ['ms', 1e3],
  ['µs', 1],
  ['ns', 1e-3],
];

/** Microseconds with the unit that suits them: 0.17 µs, 31 µs, 1.8 ms, 1.2 s. */
export function duration(us) {
  if (!(us > 0)) return '0 s';
  const [unit, size] = UNITS.slice(0, 3).find(([, size]) => us / size >= 0.9995) ?? UNITS[2];
  return `${figure(us / size)} ${unit}`;
}

/** A tick of a scale of time, a power of ten of microseconds: 0.1 µs, 10 µs, 0.1 ms, 1 ms, 0.1 s. */
export function tickOfTime(us) {
  const [unit, size] = UNITS.find(([, size]) => us >= size / 10.5) ?? UNITS[3];
  return `${Number((us / size).toPrecision(3))} ${unit}`;
}

/** 1.5 KB, 52 KB, 3.7 MB: of 1,000. */
export function bytes(count) {
  if (count < 1000) return `${count} bytes`;
  return count < 999_500 ? `${figure(count / 1e3)} KB` : `${figure(count / 1e6)} MB`;
}

/** 26 Nov 2026, whatever the reader's language and time zone. */
export function day(iso) {
  const month = 'Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec'.split(' ')[Number(iso.slice(5, 7)) - 1];
  return `${Number(iso.slice(8, 10))} ${month} ${iso.slice(0, 4)}`;
}

/** Two digits without an exponent. */
function plain(value) {
  if (value === 0) return '0';
  const digits = Math.max(0, 1 - Math.floor(Math.log10(Number(value.toPrecision(2)))));
  return value.toFixed(digits);
}

function thousands(value) {
  return String(value).replace(/\B(?=(\d{3})+$)/g, ',');
}
