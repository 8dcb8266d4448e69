import type { TestProject } from 'vitest/node';
import { digest } from './digest.ts';
import { onnxDigest } from './onnx-digest.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** The digest of digest.ts, computed in Node. */
    nodeDigest: string;
    /** That of onnx-digest.ts. */
    onnxDigest: string;
    /** Whether nothing may be skipped. */
    ci: boolean;
  }
}

export default function setup(project: TestProject): void {
  project.provide('nodeDigest', digest());
  project.provide('onnxDigest', onnxDigest());
  project.provide('ci', Boolean(process.env.CI));
}
