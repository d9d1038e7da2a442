import { canonical } from "#sandbox/kinds/json";

const ALPHABET = "bcdfghjklmnpqrstvwxz2456789";

/**
 * A short, stable name for a value: FNV-1a (32 bit) of its canonical JSON in Kubernetes' safe alphabet (no vowels),
 * ten characters. `collisions` gives another name for the same value.
 */
export function templateHash(value: unknown, collisions = 0): string {
  let hash = 0x811c9dc5;
  const text = collisions === 0 ? canonical(value) : `${canonical(value)}#${collisions}`;
  for (let index = 0; index < text.length; index++) {
    hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193);
  }
  // Always ten characters: names line up, and nobody mistakes one for something else.
  const digits = String(hash >>> 0).padStart(10, "0");
  return [...digits].map((digit) => ALPHABET[digit.charCodeAt(0) % ALPHABET.length]).join("");
}
