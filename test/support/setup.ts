import type { TestProject } from 'vitest/node';
import { digest } from './bits.ts';
import { onnxDigest } from './onnx-bits.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** The digest of bits.ts, computed in Node. */
    nodeDigest: string;
    /** That of onnx-bits.ts. */
    onnxDigest: string;
  }
}

export default function setup(project: TestProject): void {
  project.provide('nodeDigest', digest());
  project.provide('onnxDigest', onnxDigest());
}
