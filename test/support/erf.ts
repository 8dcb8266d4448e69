/** The error function by its series, in float64: 2 / sqrt(pi) e^-x² (x + 2 x³ / 3 + 4 x⁵ / 15 + ...). */
export function erf(x: number): number {
  if (!(Math.abs(x) < 6)) return x > 0 ? 1 : x < 0 ? -1 : x;
  let term = x;
  let sum = x;
  for (let k = 1; k < 200; k++) {
    term *= (2 * x * x) / (2 * k + 1);
    sum += term;
  }
  return (2 / Math.sqrt(Math.PI)) * Math.exp(-x * x) * sum;
}
