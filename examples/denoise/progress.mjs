import { SingleBar } from 'cli-progress';

/** Milliseconds between two drawings */
const REDRAW = 50;

/**
 * A progress bar on stderr, if that is a terminal.
 * @param {number} total 0 for no bar
 * @returns {{ update: (done: number) => void, end: () => void }}
 */
export function openProgress(total) {
  if (total === 0 || !process.stderr.isTTY) return { update: () => {}, end: () => {} };
  const bar = new SingleBar({
    format: '  {bar} {percentage} %, {eta} s left',
    barCompleteChar: '\u2588',
    barIncompleteChar: '\u2591',
    stream: process.stderr,
    clearOnComplete: true,
    hideCursor: true,
  });
  bar.start(total, 0);
  let shown = 0;
  return {
    update: (done) => {
      bar.update(done);
      // the work is synchronous, so that the bar's own timer does not come
      const now = performance.now();
      if (now - shown < REDRAW) return;
      shown = now;
      bar.render();
    },
    end: () => bar.stop(),
  };
}
