import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { shortPrivateNames } from '../scripts/private-names.mjs';

const folder = mkdtempSync(join(tmpdir(), 'lstm-wasm-names-'));
afterAll(() => rmSync(folder, { recursive: true }));

const SOURCES = {
  'base.ts': `export class Base {
  private _rare = 1;
  private readonly _often: number = 2;
  _public = this._often; protected _shared = '_rare';
  private static _of(): Base { const { _rare, _often } = new Base(); return _rare + _often; }
}`,
  'derived.ts': `import { Base } from './base.ts';
export class Derived<T> extends Base {
  constructor(private readonly _own: T) { super(); }
  get own() { return [this._own, this._shared]; }
}`,
  'other.ts': `export const Other = class { private _other() { return this._other(); } }; // _other`,
};

for (const [name, code] of Object.entries(SOURCES)) writeFileSync(join(folder, name), code);
const { transform } = shortPrivateNames(folder) as unknown as {
  transform(code: string, id: string): { code: string } | undefined;
};
const renamed = (name: keyof typeof SOURCES) => transform(SOURCES[name], join(folder, name))?.code;

it('shortens what is declared private wherever it is used, the most used first', () => {
  expect(renamed('base.ts')).toBe(`export class Base {
  private _b = 1;
  private readonly _a: number = 2;
  _public = this._a; protected _shared = '_rare';
  private static _c(): Base { const { _b, _a } = new Base(); return _b + _a; }
}`);
  expect(renamed('other.ts')).toBe(`export const Other = class { private _a() { return this._a(); } }; // _other`);
});

it('gives a class no name of the class that it extends', () => {
  expect(renamed('derived.ts')).toBe(SOURCES['derived.ts'].replaceAll('_own', '_d'));
});

it('leaves other files as they are', () => {
  expect(transform('this._own', join(folder, 'none.ts'))).toBeUndefined();
});
