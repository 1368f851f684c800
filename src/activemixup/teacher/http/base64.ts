/** Characters made at a time: arguments of a call are few. */
const CHUNK = 1 << 13;

/** Bytes in base64 (RFC 4648, with padding). */
export function encodeBase64(bytes: Uint8Array): string {
  let binary = "";
  for (let at = 0; at < bytes.length; at += CHUNK) binary += String.fromCharCode(...bytes.subarray(at, at + CHUNK));
  return btoa(binary);
}
