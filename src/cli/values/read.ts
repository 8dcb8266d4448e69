import { about } from '../errors.ts';
import { readBytes } from '../files.ts';
import { parseValues, type Values } from './parse.ts';

/** Reads a file of inputs. */
export function readValues(path: string): Values {
  const bytes = readBytes(path);
  return about(path, () => parseValues(bytes));
}
