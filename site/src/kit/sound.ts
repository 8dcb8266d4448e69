/** Samples that are averaged without a pause. */
const AT_ONCE = 1 << 20;

/** Sound as a browser decodes it: one channel at a rate. */
export interface Sound {
  readonly samples: Float32Array<ArrayBuffer>;
  readonly rate: number;
}

/**
 * Decodes a recording and brings it to a rate, by the browser's own decoder and resampler; channels are averaged.
 * @throws Error with a sentence for visitors if it is no sound that the browser can decode
 */
export async function decode(bytes: ArrayBuffer, rate: number): Promise<Sound> {
  const context = new OfflineAudioContext(1, 1, rate);
  let buffer: AudioBuffer;
  try {
    buffer = await context.decodeAudioData(bytes);
  } catch {
    throw new Error('This is no sound that the browser can decode. WAV, MP3, Ogg and FLAC usually work.');
  }
  const channels = Array.from({ length: buffer.numberOfChannels }, (_, n) => buffer.getChannelData(n));
  if (channels.length === 1) return { samples: channels[0]!, rate };
  const samples = new Float32Array(buffer.length);
  for (let at = 0; at < samples.length; at += AT_ONCE) {
    const end = Math.min(samples.length, at + AT_ONCE);
    for (const channel of channels) for (let n = at; n < end; n++) samples[n]! += channel[n]! / channels.length;
    // a long recording does not hold up the page
    await new Promise((resolve) => setTimeout(resolve));
  }
  return { samples, rate };
}

/** How long sound may take to begin, in milliseconds. */
const BEGIN = 3000;

/**
 * Lets an audio context run.
 * @throws Error with a sentence for visitors if it does not: without a sound output some browsers never begin, and never say so
 */
export async function startAudio(context: AudioContext): Promise<void> {
  const late = new Promise<false>((resolve) => setTimeout(() => resolve(false), BEGIN));
  const runs = await Promise.race([context.resume().then(() => true), late]).catch(() => false);
  if (runs || context.state === 'running') return;
  throw new Error('This browser gave no sound output. Look at the system’s sound settings, and try again.');
}

/** The microphone, block by block, at a rate; end() gives it back. */
export interface Microphone {
  readonly rate: number;
  end(): void;
}

// In the audio thread: hands over what it hears in blocks of 1,024 samples.
const LISTENER = `registerProcessor('listener', class extends AudioWorkletProcessor {
  constructor() { super(); this.block = new Float32Array(1024); this.filled = 0; }
  process([[input]]) {
    for (let at = 0; input && at < input.length;) {
      const part = input.subarray(at, at + this.block.length - this.filled);
      this.block.set(part, this.filled);
      this.filled += part.length; at += part.length;
      if (this.filled === this.block.length) { this.port.postMessage(this.block); this.filled = 0; }
    }
    return true;
  }
});`;

/**
 * Opens the microphone.
 * @param clean whether the browser may take away echo and noise
 * @throws Error with a sentence for visitors if it is refused or missing
 */
export async function openMicrophone(
  rate: number,
  onBlock: (samples: Float32Array) => void,
  clean = false,
): Promise<Microphone> {
  const refused =
    'This browser did not give us the microphone. Drop a recording instead, or allow it in the address bar.';
  if (!navigator.mediaDevices) throw new Error(refused);
  const wishes = { echoCancellation: clean, noiseSuppression: clean, autoGainControl: clean };
  const stream = await navigator.mediaDevices.getUserMedia({ audio: wishes }).catch(() => {
    throw new Error(refused);
  });
  // Firefox joins a microphone only to a context of the microphone's rate, so resampling is left to whoever needs another
  let context: AudioContext;
  try {
    context = new AudioContext({ sampleRate: rate });
    context.createMediaStreamSource(stream);
  } catch {
    context = new AudioContext();
  }
  const end = () => {
    for (const track of stream.getTracks()) track.stop();
    void context.close();
  };
  const url = URL.createObjectURL(new Blob([LISTENER], { type: 'text/javascript' }));
  try {
    await startAudio(context);
    await context.audioWorklet.addModule(url);
  } catch (error) {
    end();
    throw error;
  } finally {
    URL.revokeObjectURL(url);
  }
  const listener = new AudioWorkletNode(context, 'listener', {
    numberOfOutputs: 0,
    channelCount: 1,
    channelCountMode: 'explicit',
  });
  listener.port.onmessage = ({ data }) => onBlock(data);
  context.createMediaStreamSource(stream).connect(listener);
  return { rate: context.sampleRate, end };
}
