import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'vitest';
import { parseSafetensors } from '../../../src/safetensors.ts';
import { onnxFile, tensorProto } from '../../../test/support/onnx-files.ts';
import { findings, inBrowsers, type Opened } from '../support.ts';

const FIXTURES = new URL('../../../test/fixtures/', import.meta.url).pathname;
const folder = mkdtempSync(join(tmpdir(), 'model-'));

/** Writes a file of this test's own. */
function file(name: string, bytes: Uint8Array | string): string {
  const path = join(folder, name);
  writeFileSync(path, bytes);
  return path;
}

const text = (page: Opened, selector: string): Promise<string> =>
  page.evaluate(`document.querySelector('#model ${selector}').innerText`);

/** Lets the panel read files, and waits until it has nothing to do. */
async function read(page: Opened, paths: readonly string[], input = '[data-model]'): Promise<void> {
  await page.choose(`#model ${input}`, [...paths]);
  await settle(page);
}

/** Waits until the receipt says something: it says it to readers of screens once in two seconds at most. */
async function receipt(page: Opened, pattern: RegExp): Promise<void> {
  await page.until(`${pattern}.test(document.querySelector('#model .receipt').innerText) || undefined`, 20);
  expect(await text(page, '.receipt')).toMatch(pattern);
}

async function settle(page: Opened): Promise<void> {
  await page.until(`!document.querySelector('#model').hasAttribute('data-busy')`);
}

/** A model with an operator that nobody has. */
const UNKNOWN = onnxFile({
  nodes: [
    { op: 'Relu', inputs: ['x'], outputs: ['r'] },
    { op: 'Dream', inputs: ['r', 'w', 'w'], outputs: ['g'], name: '/dec/dream' },
    { op: 'StringNormalizer', inputs: ['g'], outputs: ['y'], name: '/last' },
  ],
  inputs: { x: [1, 1, 4] },
  initializers: [tensorProto('w', [1, 12, 4], new Float32Array(48))],
});

inBrowsers('the built-in example is drawn before it runs, and runs with one click', async (page) => {
  await page.show('model');
  await page.until(`document.querySelectorAll('#model lw-strip .unit-mark').length === 6`);
  expect(await text(page, '.contents')).toContain('LSTM(128, 128)');
  expect(await text(page, '.receipt')).toMatch(/^– steps/);
  await page.click('#model [data-run]');
  await settle(page);
  expect(await text(page, '.verdict')).toMatch(
    /^Runs\. 2\.3 MB read and ready in .* (ms|s)\. Every operator in it is supported\.$/,
  );
  await receipt(page, /Recording: 1,282 steps in .* each/);
  expect(await text(page, '.receipt')).toContain('agree bit for bit');
  expect(await text(page, '[data-kind="float32"]')).toMatch(/529 KB\s.*[µm]s/);
  expect(await text(page, '.error-of')).toMatch(
    /8 bits in all its layers move h by up to 0\.\d+ and the answer by up to 0\.\d+\./,
  );
  expect(await findings(page, `document.querySelector('#model')`)).toEqual([]);
});

inBrowsers(
  'arrows move by a step and a unit, whose sums are told; plus and minus zoom',
  async (page) => {
    await page.show('model');
    await page.until(`document.querySelectorAll('#model lw-strip .unit-mark').length === 6`);
    await page.evaluate(`document.querySelector('#model lw-strip .over').focus()`);
    const told = () =>
      page.evaluate(`document.querySelector('#model lw-strip .over').ariaValueText`) as Promise<string>;
    const before = await told();
    expect(before).toMatch(/^8\.65 s, unit \d+: c = f·c′ \+ i·g = .*; h = o·tanh c = .*; says 0\.99$/);
    await page.press('ArrowUp');
    const other = await told();
    expect(other.match(/unit \d+/)![0]).not.toBe(before.match(/unit \d+/)![0]);
    await page.press('ArrowRight');
    expect(await told()).toMatch(/^8\.68 s/);
    expect(await text(page, '.moment h3')).toBe(`${other.match(/unit \d+/)![0].replace('u', 'U')} at 8.68 s, step 271`);
    await page.press('+');
    expect(await page.evaluate(`(({ from, to }) => to - from)(document.querySelector('#model lw-strip'))`)).toBeCloseTo(
      6.656,
      3,
    );
    for (const order of ['activity', 'number', 'effect']) {
      await page.evaluate(`document.querySelector('#model [value="${order}"]').click()`);
      expect(await page.evaluate(`document.querySelector('#model [name="model-order"]:checked').value`)).toBe(order);
    }
  },
  { names: ['Chromium', 'Firefox'] },
);

inBrowsers('a file of each format is read, run and looked into', async (page) => {
  await page.show('model');
  const files: [paths: string[], contents: string, cells: number][] = [
    [['onnx-ort/torch_tagger_2l_bi.state_dict.safetensors'], 'LSTM(10, 16)', 4],
    [['onnx-ort/torch_tagger_2l_bi.onnx'], 'LSTM(32, 16)', 4],
    [['keras/keras3/bidirectional.keras'], 'Bidirectional', 2],
    [['keras/model.h5'], 'LSTM', 1],
    [['pytorch/half.pt'], 'LSTM(6, 5)', 1],
    [['keras/sigmoid_sequences_states.model.json', 'keras/sigmoid_sequences_states.weights.bin'], 'LSTM', 1],
    [['audio/lstm_1d.json'], 'LSTM(1, 8)', 1],
  ];
  for (const [paths, contents, cells] of files) {
    await read(
      page,
      paths.map((path) => FIXTURES + path),
    );
    expect(await text(page, '.verdict'), paths[0]).toMatch(/^Runs\./);
    expect(await text(page, '.contents'), paths[0]).toContain(contents);
    await receipt(page, /agree bit for bit/);
    expect(
      await page.evaluate(`document.querySelectorAll('#model-cell option').length`),
      paths[0],
    ).toBeGreaterThanOrEqual(cells);
    expect(await page.evaluate(`document.querySelectorAll('#model lw-strip .unit-mark').length`), paths[0]).toBe(6);
  }
});

inBrowsers(
  'inputs: random, typed, and files of NumPy and CSV, which have to fit',
  async (page) => {
    await page.show('model');
    await read(page, [`${FIXTURES}onnx-ort/torch_tagger_2l_bi.onnx`]);
    await page.evaluate(`document.querySelector('#model [value="random"]').click()`);
    await settle(page);
    await receipt(page, /Random numbers: 200 steps/);
    await page.evaluate(`document.querySelector('#model [value="typed"]').click()`);
    await page.evaluate(
      `document.querySelector('#model textarea').value = '${Array.from({ length: 10 }, (_, n) => n / 10).join(',')}'`,
    );
    await page.click('#model [data-run]');
    await settle(page);
    await receipt(page, /The numbers typed: 1 step/);
    const rows = Array.from({ length: 30 }, (_, t) => Array.from({ length: 10 }, (_, n) => Math.sin(t + n)).join(','));
    await read(page, [file('steps.csv', rows.join('\n'))], '[data-input]');
    await receipt(page, /steps.csv: 30 steps/);
    await read(page, [file('wrong.csv', '1,2,3\n4,5,6')], '[data-input]');
    await receipt(page, /^wrong\.csv: rows of 3 numbers; this model takes 10 a step\.$/);
    expect(await page.evaluate(`document.querySelectorAll('#model lw-strip .unit-mark').length`)).toBe(6);
  },
  { names: ['Chromium'] },
);

inBrowsers('what does not run or is damaged says so in place, and what was there stays', async (page) => {
  await page.show('model');
  await page.until(`document.querySelectorAll('#model lw-strip .unit-mark').length === 6`);
  await read(page, [file('new.onnx', UNKNOWN)]);
  expect(await text(page, '.verdict')).toBe('Does not run. 2 parts are missing: Dream, StringNormalizer.');
  expect(await text(page, '.trouble')).toContain('/dec/dream');
  expect(await text(page, '.trouble')).toMatch(/code\s+unsupported/);
  expect(await text(page, '.contents')).toContain('Dream 12→4');
  expect(await text(page, '.notes')).toBe('The strip is of silero_vad_v5.onnx, the last model that ran.');
  expect(await page.evaluate(`document.querySelector('#model [data-run]').disabled`)).toBe(true);
  const damaged = [
    'truncated.onnx',
    'deep_json.safetensors',
    'dims_overflow.safetensors',
    'header_length_huge.safetensors',
    'empty.safetensors',
  ];
  for (const name of damaged) {
    await read(page, [`${FIXTURES}malformed/${name}`]);
    expect(await text(page, '.verdict'), name).toMatch(/^Not read\. .+ Below is still new\.onnx\.$/);
    expect(await page.evaluate(`document.querySelectorAll('#model lw-strip .unit-mark').length`), name).toBe(6);
  }
  await read(page, [`${FIXTURES}keras/sigmoid_sequences_states.model.json`]);
  expect(await text(page, '.verdict')).toContain('drop them together');
  expect(await findings(page, `document.querySelector('#model')`)).toEqual([]);
});

inBrowsers(
  'names in a file are text: nothing of them becomes markup',
  async (page) => {
    await page.show('model');
    const evil = '<img src=x onerror="globalThis.evil = 1">';
    const nodes = [{ op: evil, inputs: ['x'], outputs: ['y'], name: evil }];
    const bytes = onnxFile({ nodes, inputs: { x: [1, 1, 4] } });
    await read(page, [file('evil.onnx', bytes)]);
    expect(await text(page, '.trouble')).toContain('<img src=x');
    expect(await page.evaluate(`[document.querySelectorAll('#model img').length, globalThis.evil]`)).toEqual([
      0,
      undefined,
    ]);
  },
  { names: ['Chromium'] },
);

inBrowsers(
  'a file of thousands of layers is listed in part, and the page stays alive',
  async (page) => {
    await page.show('model');
    const tensors = Array.from(
      { length: 3000 },
      (_, n) => `"layer.${n}.weight":{"dtype":"F32","shape":[64],"data_offsets":[${256 * n},${256 * n + 256}]}`,
    );
    const header = new TextEncoder().encode(`{${tensors.join(',')}}`);
    const bytes = new Uint8Array(8 + header.length + 256 * 3000);
    new DataView(bytes.buffer).setBigUint64(0, BigInt(header.length), true);
    bytes.set(header, 8);
    await read(page, [file('many.safetensors', bytes)]);
    expect(await text(page, '.verdict')).toContain('it has no LSTM');
    expect(await text(page, '.more')).toBe('192,000 numbers, 2,800 more');
    expect(await page.evaluate(`document.querySelectorAll('#model .contents tr').length`)).toBe(201);
  },
  { names: ['Chromium'] },
);

/** Presses a button that saves, and takes the bytes that would have gone into a file. */
function saved(page: Opened, kind: string): Promise<{ name: string; bytes: string }> {
  return page.evaluate(`new Promise((resolve) => {
    const make = URL.createObjectURL;
    URL.createObjectURL = (blob) => {
      URL.createObjectURL = make;
      HTMLAnchorElement.prototype.click = function () {
        delete HTMLAnchorElement.prototype.click;
        const reader = new FileReader();
        reader.onload = () => resolve({ name: this.download, bytes: reader.result.split(',')[1] });
        reader.readAsDataURL(blob);
      };
      return make.call(URL, blob);
    };
    document.querySelector('#model [data-kind="${kind}"] button').click();
  })`);
}

inBrowsers(
  'a model is saved as safetensors, float32 with its own bits, and int8',
  async (page) => {
    await page.show('model');
    const path = `${FIXTURES}onnx-ort/torch_tagger_2l_bi.state_dict.safetensors`;
    await read(page, [path]);
    const own = parseSafetensors(readFileSync(path));
    const float32 = await saved(page, 'float32');
    expect(float32.name).toBe('torch_tagger_2l_bi.state_dict.float32.safetensors');
    const tensors = parseSafetensors(new Uint8Array(Buffer.from(float32.bytes, 'base64')));
    expect([...tensors.keys()].sort()).toEqual([...own.keys()].sort());
    for (const [name, { data, dims }] of own) expect(tensors.get(name), name).toMatchObject({ data, dims });
    const int8 = parseSafetensors(new Uint8Array(Buffer.from((await saved(page, 'int8')).bytes, 'base64')));
    expect(int8.get('lstm.weight_ih_l0')!.dtype).toBe('I8');
    expect(int8.get('lstm.weight_ih_l0_scale')!.dtype).toBe('F32');
  },
  { names: ['Chromium', 'Firefox'] },
);

inBrowsers(
  'a file that is dropped anywhere on the page is read',
  async (page) => {
    await page.show('model');
    const bytes = readFileSync(`${FIXTURES}pytorch/nested_model.safetensors`).toString('base64');
    await page.evaluate(`(() => {
      const data = new DataTransfer();
      const bytes = Uint8Array.from(atob('${bytes}'), (character) => character.charCodeAt(0));
      data.items.add(new File([bytes], 'nested.safetensors'));
      for (const type of ['dragover', 'drop']) {
        document.body.dispatchEvent(new DragEvent(type, { dataTransfer: data, bubbles: true, cancelable: true }));
      }
    })()`);
    await page.until(`/^Runs/.test(document.querySelector('#model .verdict').innerText)`);
    await settle(page);
    expect(await text(page, '.file')).toBe('nested.safetensors');
    expect(await text(page, '.contents')).toContain('LSTM(3, 4)');
  },
  { names: ['Chromium'] },
);
