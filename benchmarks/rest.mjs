import { readdirSync, readFileSync } from 'node:fs';

const WINDOW_MS = 1000;
const MOST_MS = 60_000;
/** Fraction of a core below which processes rest. */
const IDLE = 0.05;
const TICK_MS = 10;

/**
 * Waits until all that this process started is idle: engines compile in the background what is hot, megabytes of it, and on one
 * core that takes seconds. Where there is no /proc it waits a little.
 */
export async function rest() {
  for (let waited = 0; waited < MOST_MS; waited += WINDOW_MS) {
    const before = busyMs();
    await new Promise((resolve) => setTimeout(resolve, WINDOW_MS));
    if (busyMs() - before < IDLE * WINDOW_MS) return;
  }
}

/** Milliseconds of processor time that the descendants of this process have used. */
function busyMs() {
  const children = new Map();
  const times = new Map();
  for (const { pid, parent, ticks } of processes()) {
    times.set(pid, ticks);
    children.set(parent, [...(children.get(parent) ?? []), pid]);
  }
  const sum = (pid) => (children.get(pid) ?? []).reduce((total, child) => total + times.get(child) + sum(child), 0);
  return sum(process.pid) * TICK_MS;
}

function processes() {
  let names;
  try {
    names = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  } catch {
    return [];
  }
  return names.flatMap((name) => {
    try {
      // the name of a program, in brackets, may hold blanks
      const fields = readFileSync(`/proc/${name}/stat`, 'utf8')
        .replace(/^.*\) /s, '')
        .split(' ');
      return [{ pid: Number(name), parent: Number(fields[1]), ticks: Number(fields[11]) + Number(fields[12]) }];
    } catch {
      return []; // it has ended
    }
  });
}
