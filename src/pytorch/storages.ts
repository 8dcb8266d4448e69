import { describe } from '../base/tensor.ts';
import type { Zip } from '../files/zip/zip.ts';

/** Where the bytes of storages are, by their keys. */
export interface StorageSource {
  /** Names a storage in messages. */
  name(key: string): string;
  /** Counts the bytes of a storage; undefined if it is not there. */
  size(key: string): number | undefined;
  /** Reads a storage that is there. */
  read(key: string): Uint8Array;
  /** Tells that its bytes are not needed any more. */
  giveBack(key: string): void;
}

/** The first byte of a storage in a file, and the one after its last. */
export interface Place {
  readonly begin: number;
  readonly end: number;
}

/** The storages of a zip: the entries `data/KEY` beside data.pkl. */
export class ZipStorages implements StorageSource {
  readonly #zip: Zip;
  readonly #folder: string;

  constructor(zip: Zip, folder: string) {
    this.#zip = zip;
    this.#folder = folder;
  }

  name(key: string): string {
    return `data/${key}`;
  }

  size(key: string): number | undefined {
    const entry = this.#entry(key);
    return this.#zip.has(entry) ? this.#zip.size(entry) : undefined;
  }

  read(key: string): Uint8Array {
    return this.#zip.read(this.#entry(key));
  }

  giveBack(key: string): void {
    this.#zip.giveBack(this.#entry(key));
  }

  #entry(key: string): string {
    return `${this.#folder}data/${key}`;
  }
}

/** The storages of a file before torch 1.6: one behind the other. */
export class FileStorages implements StorageSource {
  readonly #file: Uint8Array;
  readonly #places: ReadonlyMap<string, Place>;

  constructor(file: Uint8Array, places: ReadonlyMap<string, Place>) {
    this.#file = file;
    this.#places = places;
  }

  name(key: string): string {
    return `storage ${describe(key)}`;
  }

  size(key: string): number | undefined {
    const place = this.#places.get(key);
    return place && place.end - place.begin;
  }

  read(key: string): Uint8Array {
    const { begin, end } = this.#places.get(key)!;
    return this.#file.subarray(begin, end);
  }

  giveBack(): void {}
}
