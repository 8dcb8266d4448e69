// Numbers as the panel prints them.

/** A value beside the playhead: two decimals, a true minus sign, and for large ones fewer. */
export function valueText(value: number): string {
  if (Number.isNaN(value)) return 'NaN';
  const size = Math.abs(value);
  const sign = value < 0 ? '−' : '';
  if (!Number.isFinite(value)) return `${sign}∞`;
  if (size >= 1e6) return sign + size.toExponential(1).replace('e+', 'e');
  const text = size.toFixed(size >= 1000 ? 0 : size >= 100 ? 1 : 2);
  return Number(text) === 0 ? text : sign + text;
}

/** Three figures without zeros at the end. @param value at least 0 */
export function threeFigures(value: number): string {
  if (value !== 0 && (value < 1e-3 || value >= 1e6)) return value.toExponential(1).replace('e+', 'e').replace('-', '−');
  return String(Number(value.toPrecision(value >= 1000 ? 4 : 3)));
}

/** An error: one figure that counts, at least. */
export function errorText(value: number): string {
  if (value === 0) return '0';
  return value < 1e-3 ? value.toExponential(0).replace('-', '−') : String(Number(value.toPrecision(2)));
}
