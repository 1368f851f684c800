/** Characters made at a time: arguments of a call are few. */
const CHUNK = 1 << 13;

const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const NONE = 0xff;
const values = new Uint8Array(128).fill(NONE);
for (let value = 0; value < 64; value++) values[alphabet.charCodeAt(value)] = value;

/** Bytes in base64 (RFC 4648, with padding). */
export function encodeBase64(bytes: Uint8Array): string {
  let binary = "";
  for (let at = 0; at < bytes.length; at += CHUNK) binary += String.fromCharCode(...bytes.subarray(at, at + CHUNK));
  return btoa(binary);
}

/** The bytes, or `undefined` where the text is not exactly what {@link encodeBase64} makes of some. */
export function decodeBase64(text: string): Uint8Array<ArrayBuffer> | undefined {
  const { length } = text;
  if (length % 4 !== 0) return undefined;
  const padding = text.endsWith("==") ? 2 : text.endsWith("=") ? 1 : 0;
  const bytes = new Uint8Array((length / 4) * 3 - padding);
  for (let at = 0, to = 0; at < length; at += 4) {
    let three = 0;
    const padded = at + 4 === length ? padding : 0;
    for (let index = 0; index < 4; index++) {
      const code = text.charCodeAt(at + index);
      const value = index >= 4 - padded ? 0 : code < 128 ? values[code] : NONE;
      if (value === NONE) return undefined;
      three = (three << 6) | value;
    }
    // Bits that belong to no byte have to be 0: one text for the same bytes.
    if (padded > 0 && (three & (padded === 2 ? 0xffff : 0xff)) !== 0) return undefined;
    bytes[to++] = three >> 16;
    if (padded < 2) bytes[to++] = three >> 8;
    if (padded < 1) bytes[to++] = three;
  }
  return bytes;
}
