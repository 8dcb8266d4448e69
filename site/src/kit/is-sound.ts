/** How well a file's name or media type suits a panel that takes recordings: 1 or 0. */
export function isSound(name: string, type: string): number {
  return Number(/^(audio|video)\//.test(type) || /\.(wav|mp3|ogg|oga|opus|flac|m4a|aac|webm)$/i.test(name));
}
