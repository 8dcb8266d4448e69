import { escapeText, shorten } from './text.ts';

/** A file that is bad or does not fit, or a call that is wrong, in words for the person who typed it. */
export class CliError extends Error {
  readonly exitCode: 1 | 2;
  /** Whether the message names the file. */
  isNamed = false;

  constructor(message: string, exitCode: 1 | 2 = 1) {
    super(message);
    this.exitCode = exitCode;
  }
}

/** Throws for a call that is wrong. */
export function refuseCall(message: string): never {
  throw new CliError(message, 2);
}

/** Makes the error for a file that is bad or does not fit. */
export function refusal(path: string, message: string): CliError {
  const error = new CliError(`${nameOf(path)}: ${message}`);
  error.isNamed = true;
  return error;
}

/** Runs `work`, and says of what goes wrong which file it was. */
export function about<T>(path: string, work: () => T): T {
  const fail = (error: unknown): never => {
    if (error instanceof CliError && (error.isNamed || error.exitCode === 2)) throw error;
    throw refusal(path, messageOf(error));
  };
  try {
    const result = work();
    return result instanceof Promise ? (result.catch(fail) as T) : result;
  } catch (error) {
    return fail(error);
  }
}

/** Names a file in messages. */
export function nameOf(path: string): string {
  return path === '-' ? 'standard input' : path === '' ? '""' : path;
}

/** Words for the codes that Node gives for files. */
const SYSTEM: Readonly<Record<string, string>> = {
  ENOENT: 'no such file',
  EACCES: 'no permission',
  EPERM: 'not permitted',
  EISDIR: 'is a folder, not a file',
  ENOTDIR: 'a part of the path is no folder',
  ENAMETOOLONG: 'the name is too long',
  ELOOP: 'a link that leads to itself',
  ENOSPC: 'no space is left',
  EROFS: 'is on a disk that cannot be written',
  EMFILE: 'too many files are open',
  ERR_FS_FILE_TOO_LARGE: 'is larger than 2 GiB, the most that is read at once',
  ERR_INVALID_ARG_VALUE: 'has a name that no file can have',
};

/** Gives what was thrown as one line without a stack. */
export function messageOf(error: unknown): string {
  const { code, message } = Object(error) as { code?: string; message?: string };
  const text = (code !== undefined && SYSTEM[code]) || message || String(error);
  if (error instanceof RangeError && /call stack|Array buffer allocation|Invalid (typed )?array length/i.test(text)) {
    return 'it asks for more memory than there is';
  }
  return shorten(escapeText(text.replace(/\s*\n\s*/g, ' ')), 900);
}
