/** The orientation of an image, as EXIF has it: all that is read of that format. */

const ORIENTATION = 0x0112;
const SHORT = 3;

/**
 * The orientation that EXIF data tell, 1 to 8; 1, upright, where they tell none or cannot be read: cameras and editors
 * write much that is odd there, and the pixels are whole all the same.
 * @param exif a TIFF header and what follows it, perhaps behind `Exif\0\0`
 */
export function readOrientation(exif: Uint8Array): number {
  const start = exif[0] === 0x45 && exif[1] === 0x78 ? 6 : 0;
  if (exif.length < start + 8) return 1;
  const view = new DataView(exif.buffer, exif.byteOffset + start, exif.length - start);
  const order = view.getUint16(0);
  const little = order === 0x4949;
  if (!little && order !== 0x4d4d) return 1;
  const directory = view.getUint32(4, little);
  if (directory + 2 > view.byteLength) return 1;
  const entries = view.getUint16(directory, little);
  for (let entry = 0; entry < entries; entry++) {
    const at = directory + 2 + 12 * entry;
    if (at + 12 > view.byteLength) return 1;
    if (view.getUint16(at, little) !== ORIENTATION) continue;
    const value = view.getUint16(at + 8, little);
    return view.getUint16(at + 2, little) === SHORT && value >= 1 && value <= 8 ? value : 1;
  }
  return 1;
}
