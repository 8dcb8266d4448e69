import type { AudioModelParts } from '../audio/model.ts';

// Messages between an LstmNode and its processor. A model goes as plain values, read and checked in the page.

/** Who speaks in messages of errors: what the page made. */
export const WHO = 'LstmNode';

/** Told to the processor at its start; a processor of another version refuses. */
export const PROTOCOL = 1;

/** The name under which the processor of the package is registered. */
export const PROCESSOR = 'lstm-wasm';

/** The most knobs of a node. */
export const MAX_KNOBS = 16;

/** The name of a processor with so many knobs, each an AudioParam. */
export const processorName = (name: string, knobs: number): string => `${name}/${knobs}`;
/** The name of an AudioParam. */
export const knobName = (k: number): string => `knob${k}`;

/** A model in a message: the contents of a file, or whatever an effect of your own is made from. */
export type SentModel = unknown;

/** A model of the package in a message. */
export interface SentParts extends Omit<AudioModelParts, 'who'> {
  /** The compiled lstm-onnx.wasm, if an activation needs it. */
  readonly kernels?: object | undefined;
  /** The compiled lstm-gru.wasm, if a stage is a GRU. */
  readonly gru?: object | undefined;
}

/** How a processor starts: `processorOptions` of an AudioWorkletNode. */
export interface StartOptions {
  readonly protocol: number;
  readonly model: SentModel;
  readonly channels: number;
  readonly knobs: number;
  /** The length of a fade in seconds. */
  readonly fade: number;
  readonly bypass: boolean;
}

/** Messages of the page. Those with an `id` are answered. */
export type ToProcessor =
  | { readonly type: 'load'; readonly id: number; readonly model: SentModel }
  | { readonly type: 'bypass'; readonly on: boolean }
  | { readonly type: 'reset' }
  | { readonly type: 'measure'; readonly id: number; readonly on: boolean }
  | { readonly type: 'dispose' };

/** An error as a message has it. */
export interface SentError {
  /** Its class: 'ModelError', 'TypeError' ... */
  readonly name: string;
  /** Its text. */
  readonly message: string;
  /** The code of a ModelError; the next ones are its details too. */
  readonly code?: string;
  /** Where in the model. */
  readonly path?: string;
  /** Expected there. */
  readonly expected?: unknown;
  /** Found there. */
  readonly found?: unknown;
}

/** Times of blocks while they were measured. */
export interface Load {
  /** The part of the time that the audio takes to play, from 0; at 1 and above there are gaps. */
  readonly average: number;
  /** The same of the slowest block. */
  readonly peak: number;
  /** The blocks that were measured. */
  readonly blocks: number;
  /** Those that took longer than they play. */
  readonly late: number;
}

/** Messages of the processor: `ready` or `failed` first, then answers, and `error` whenever something goes wrong. */
export type FromProcessor =
  | { readonly type: 'ready'; readonly latency: number }
  | { readonly type: 'failed'; readonly error: SentError }
  | { readonly type: 'loaded'; readonly id: number; readonly latency: number }
  | { readonly type: 'refused'; readonly id: number; readonly error: SentError }
  | { readonly type: 'measured'; readonly id: number; readonly load: Load }
  | { readonly type: 'error'; readonly error: SentError };
