/** "Chromium 156" and "Linux", as far as a browser says who it is. */
export function browserOf(userAgent: string): { browser: string; machine: string } {
  const version = (pattern: RegExp) => userAgent.match(pattern)?.[1];
  const [edge, chrome] = [version(/Edg\/(\d+)/), version(/Chrom(?:e|ium)\/(\d+)/)];
  const [firefox, safari] = [version(/Firefox\/(\d+)/), version(/Version\/(\d+).*Safari/)];
  const browser =
    (edge && `Edge ${edge}`) ||
    (chrome && `Chromium ${chrome}`) ||
    (firefox && `Firefox ${firefox}`) ||
    (safari && `WebKit ${safari}`) ||
    'unknown browser';
  const systems: [RegExp, string][] = [
    [/Android/, 'Android'],
    [/iPhone|iPad/, 'iOS'],
    [/Mac OS X/, 'macOS'],
    [/Windows/, 'Windows'],
    [/CrOS/, 'ChromeOS'],
    [/Linux/, 'Linux'],
  ];
  return { browser, machine: systems.find(([pattern]) => pattern.test(userAgent))?.[1] ?? 'unknown system' };
}
