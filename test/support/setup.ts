import type { TestProject } from 'vitest/node';
import { digest } from './digest.ts';
import { onnxDigest } from './onnx-digest.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** The digest of digest.ts, computed in Node. */
    nodeDigest: string;
    /** That of onnx-digest.ts. */
    onnxDigest: string;
  }
}

export default function setup(project: TestProject): void {
  project.provide('nodeDigest', digest());
  project.provide('onnxDigest', onnxDigest());
}
