/** One line on the terminal that says what is going on; nothing where there is no terminal. */
export function progress(text) {
  if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${text}`);
}
