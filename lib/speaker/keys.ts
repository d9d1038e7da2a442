import { keyId } from "./heartbeat.ts";

/** For so long after it was replaced a key is still taken: nodes see a changed Secret minutes apart. */
export const OLD_KEY_MS = 10 * 60_000;
/** More than anybody needs at a time; the oldest goes first. */
const MAX_KEYS = 4;

interface Key {
  readonly id: number;
  /** Null: heartbeats are neither signed nor checked. */
  readonly key: Uint8Array | null;
  /** Monotonic ms; null for the newest, which stays. */
  readonly until: number | null;
}

/**
 * The keys of one speaker, newest first. A new key is never waited for: each datagram is signed with the newest key
 * that its *recipient* said it holds, and every key that was in force is read for ten minutes more. So nobody falls
 * silent, whichever of two nodes sees the new key first; a key that is gone is worth nothing afterwards.
 */
export interface Keyring {
  readonly keys: readonly [Key, ...Key[]];
}

/** `found`: the keys that the Secret holds, newest first; none at all: unsigned. */
export function initialKeys(found: readonly Uint8Array[], now: number): Keyring {
  const [newest = null, ...older] = found;
  const rest = older.map((key) => ({ id: keyId(key), key, until: now + OLD_KEY_MS }));
  return { keys: [{ id: keyId(newest), key: newest, until: null }, ...rest.slice(0, MAX_KEYS - 1)] };
}

/** What was found now. A Secret that vanished changes nothing: that is no rotation. The same ring when nothing changed. */
export function renewKeys(ring: Keyring, found: readonly Uint8Array[], now: number): Keyring {
  const [newest] = found;
  if (newest === undefined) return ring;
  const id = keyId(newest);
  const [current] = ring.keys;
  if (current.id === id) {
    const live = ring.keys.slice(1).filter(({ until }) => until !== null && until > now);
    return live.length === ring.keys.length - 1 ? ring : { keys: [current, ...live] };
  }
  const replaced = { ...current, until: now + OLD_KEY_MS };
  const older = [replaced, ...ring.keys.slice(1)].filter((key) => key.id !== id && (key.until ?? 0) > now);
  return { keys: [{ id, key: newest, until: null }, ...older.slice(0, MAX_KEYS - 1)] };
}

/** The key of that id that is still read, null where unsigned is; undefined for none. */
export function readingKey(ring: Keyring, id: number, now: number): Uint8Array | null | undefined {
  return ring.keys.find((key) => key.id === id && (key.until === null || key.until > now))?.key;
}

/**
 * What to sign with for a recipient that holds `holds`, undefined for one that never said: each key in turn, so that
 * one of two beats is understood.
 */
export function writingKey(
  ring: Keyring,
  holds: number | undefined,
  turn: number,
): { readonly id: number; readonly key: Uint8Array | null } {
  const [newest] = ring.keys;
  if (holds === undefined) return ring.keys[turn % ring.keys.length] ?? newest;
  return ring.keys.find(({ id }) => id === holds) ?? newest;
}
