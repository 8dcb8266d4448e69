/**
 * A logarithmic scale.
 * @param {[number, number]} domain @param {[number, number]} range
 */
export function logScale([least, most], [from, to]) {
  const span = Math.log(most / least);
  return {
    at: (value) => from + (Math.log(value / least) / span) * (to - from),
    /** Powers of ten. */
    decades: powers(least, most),
    /** 2 to 9 times powers of ten. */
    minor: powers(least / 10, most).flatMap((power) =>
      [2, 3, 4, 5, 6, 7, 8, 9].map((n) => n * power).filter((value) => value >= least && value <= most),
    ),
  };
}

/** The range of values that are numbers above zero, at least as wide as `at`. */
export function extent(values, [low, high]) {
  const known = values.filter((value) => value > 0 && Number.isFinite(value));
  return [Math.min(low, ...known), Math.max(high, ...known)];
}

/** Powers of ten from `least` to `most`, without an error of rounding: Number('1e-1') is 0.1. */
function powers(least, most) {
  const found = [];
  const slack = 1 + 1e-9;
  for (let n = Math.ceil(Math.log10(least / slack)); Number(`1e${n}`) <= most * slack; n++)
    found.push(Number(`1e${n}`));
  return found;
}
