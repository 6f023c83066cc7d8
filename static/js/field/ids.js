// Names that are made on the phone: client ids and the hash of a photo. Both work without https too,
// where crypto.randomUUID and crypto.subtle are missing.
import { sha256 } from "./sha256.js";

const hex = (bytes) => Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");

/** Make a UUID version 7: its first 48 bits are the time, so that rows of the server lie in order. */
export function newId(now = Date.now()) {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  for (let i = 0; i < 6; i += 1) bytes[i] = Math.floor(now / 2 ** (8 * (5 - i))) % 256;
  bytes[6] = (bytes[6] & 0x0f) | 0x70;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  return hex(bytes).replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}

/** Hash bytes (ArrayBuffer) as lower-case hex. */
export async function digest(buffer) {
  if (crypto.subtle) return hex(new Uint8Array(await crypto.subtle.digest("SHA-256", buffer)));
  return hex(sha256(new Uint8Array(buffer)));
}
