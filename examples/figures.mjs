// What the load generators print: percentiles, memory, and how their options are read.
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';

/** @param {number[]} values @param {number} share from 0 to 1 */
export function percentile(values, share) {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))];
}

/** A line of latencies. @param {number[]} milliseconds */
export function latencies(milliseconds) {
  const shares = [0.5, 0.95, 0.99].map((share) => `${100 * share} %: ${format(percentile(milliseconds, share))} ms`);
  return `${shares.join(', ')}, longest: ${format(Math.max(...milliseconds))} ms`;
}

/** Megabytes of RAM that a process holds now, and the most that it has held; NaN where there is no /proc. */
export function memoryOf(pid) {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8');
    const read = (name) => Math.round(Number(status.match(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm'))?.[1]) / 1024);
    return { now: read('VmRSS'), most: read('VmHWM') };
  } catch {
    return { now: Number.NaN, most: Number.NaN };
  }
}

/** Seconds of processor time that a process has taken, in user code and in the kernel; NaN where there is no /proc. */
export function processorTimeOf(pid) {
  try {
    // fields 14 and 15, in hundredths; the second field is a name in parentheses
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1].split(' ');
    return { user: Number(fields[11]) / 100, kernel: Number(fields[12]) / 100 };
  } catch {
    return { user: Number.NaN, kernel: Number.NaN };
  }
}

/** Three significant digits. */
export const format = (x) => (x >= 100 ? Math.round(x).toLocaleString('en') : String(Number(x.toPrecision(3))));

/**
 * Reads the command line: options with a default, whose type is that of the default. Prints the usage on --help; an error is one
 * line and exit code 2.
 * @template {Record<string, string | number | boolean>} T
 * @param {string} usage @param {T} defaults @returns {T & { positionals: string[] }}
 */
export function readOptions(usage, defaults) {
  const options = Object.fromEntries(
    Object.entries(defaults).map(([name, value]) => [
      name,
      { type: typeof value === 'boolean' ? 'boolean' : 'string' },
    ]),
  );
  try {
    const { values, positionals } = parseArgs({
      options: { help: { type: 'boolean', short: 'h' }, ...options },
      allowPositionals: true,
    });
    if (values.help) {
      console.log(usage);
      process.exit(0);
    }
    const result = { ...defaults, positionals };
    for (const [name, value] of Object.entries(values)) {
      const isNumber = typeof defaults[name] === 'number';
      if (isNumber && !/^[1-9]\d{0,8}$/.test(value))
        throw new Error(`--${name}: expected a whole number from 1 on, got "${value}"`);
      result[name] = isNumber ? Number(value) : value;
    }
    return result;
  } catch (error) {
    return refuse(error);
  }
}

/** Ends the program because of what the user gave: an error in one line, exit code 2. @param {Error} error */
export function refuse(error) {
  console.error(`error: ${error.message.split('\n')[0]}`);
  process.exit(2);
}
