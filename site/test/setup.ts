import { preview } from 'vite';
import type { TestProject } from 'vitest/node';

declare module 'vitest' {
  export interface ProvidedContext {
    ci: boolean;
    /** The address of the built page. */
    site: string;
  }
}

/** Serves site/dist while tests run. */
export default async function setup({ provide }: TestProject): Promise<() => Promise<void>> {
  const server = await preview({
    root: new URL('..', import.meta.url).pathname,
    preview: { port: 0, host: '127.0.0.1' },
  });
  provide('site', server.resolvedUrls!.local[0]!);
  provide('ci', process.env.CI === 'true');
  return () => server.close();
}
