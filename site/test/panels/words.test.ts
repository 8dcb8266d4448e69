import { expect } from 'vitest';
import { findings, inBrowsers, type Opened } from '../support.ts';

const STRIP = `document.querySelector('#words lw-strip')`;
const RECEIPT = `document.querySelector('#words .receipt').textContent`;
const WORDS = `[...document.querySelectorAll('#words tbody tr')].map((line) => line.cells[0].textContent)`;

/** Types as an input method does, before it is done with a letter, and gives the words that stand there at once. */
const type = (page: Opened, text: string): Promise<string[]> =>
  page.evaluate(`(() => {
    const input = document.querySelector('#words-text');
    input.value = ${JSON.stringify(text)};
    input.setSelectionRange(input.value.length, input.value.length);
    input.dispatchEvent(new InputEvent('input', { bubbles: true, isComposing: true }));
    return ${WORDS};
  })()`);

inBrowsers('words are cut at each key, with figures that were measured here', async (page) => {
  await page.show('words');
  await page.until(`/26 letters in [\\d.]+ (µs|ms).*KB of code, .*KB of model/.test(${RECEIPT})`);
  expect(await page.evaluate(RECEIPT)).not.toContain('–');
  expect(await page.evaluate(WORDS)).toEqual(['แมว', 'นอน', 'อยู่', 'บน', 'โต๊ะ', 'ใน', 'ห้อง', 'ครัว']);
  expect(await type(page, 'แมวนอ')).toEqual(['แมว', 'นอ']);
  expect(await type(page, 'แมว and นอน')).toEqual(['แมว', 'นอน']);
  // the model's mistakes stay
  expect(await type(page, 'ตากลม')).toEqual(['ตากล', 'ม']);
  expect(await type(page, 'no Thai')).toEqual([]);
  await page.until(`document.querySelector('#words .receipt.error')`);
  await page.click('#words [data-another]');
  await page.until(`${WORDS}.length > 3 && !document.querySelector('#words .receipt.error')`);
  expect(await page.evaluate(`document.querySelector('#words .gloss').textContent`)).toContain('coffee');
  expect(await findings(page, `'#words'`)).toEqual([]);
});

inBrowsers('of a long text a part is shown, which moves and zooms by the keyboard', async (page) => {
  await page.show('words');
  await type(page, 'และสันติภาพในโลก'.repeat(1000));
  await page.until(`/first 10,000 of 16,000 letters/.test(${RECEIPT})`);
  const span = `(${STRIP}.to - ${STRIP}.from)`;
  const before: number = await page.evaluate(span);
  expect(before).toBeLessThan(60);
  // the caret is at the end of what was pasted
  expect(await page.evaluate(`${STRIP}.to`)).toBe(10_000);
  await page.evaluate(`${STRIP}.querySelector('.over').focus()`);
  await page.press('Home');
  expect(await page.evaluate(`${STRIP}.from`)).toBe(0);
  await page.press('+');
  expect(await page.evaluate(span)).toBe(before / 2);
  await page.press('ArrowRight');
  const text = `${STRIP}.querySelector('.over').ariaValueText`;
  expect(await page.evaluate(text)).toMatch(/^letter 2 of 10000: ล, a new word with 0\.\d\d$/);
  expect(
    await page.evaluate(`document.querySelector('.words-part').checkVisibility({ visibilityProperty: true })`),
  ).toBe(true);
});
