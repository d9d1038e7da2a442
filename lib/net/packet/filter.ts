/**
 * Classic BPF programs that decide in the kernel which frames wake us: with
 * nothing announced none does, with up to 200 addresses only frames about
 * those, above that every ARP frame or neighbour message.
 */

/** What a filter lets through: frames about these addresses, as their last four octets. */
interface Interest {
  /** Asked about, or said to be somebody's. */
  readonly held: readonly number[];
  /** Said to be somebody's. */
  readonly watched: readonly number[];
}

type Instruction = readonly [code: number, jumpTrue: number, jumpFalse: number, value: number];

const LOAD_BYTE = 0x30;
const LOAD_HALF = 0x28;
const LOAD_WORD = 0x20;
const JUMP = 0x05;
const IF_EQUAL = 0x15;
const IF_GREATER = 0x25;
const RETURN = 0x06;
const WHOLE_FRAME = 0x40000;
/** SKF_AD_OFF + SKF_AD_PKTTYPE: 0 to us, 1 broadcast, 2 multicast, 3 to others, 4 sent by ourselves. */
const PACKET_TYPE = 0xfffff004;
/** Jumps have eight bits; also, a scan this long costs about a microsecond. */
const LISTED_MAX = 200;
const MULTICAST = 2;
const BROADCAST = 1;

const DROP: readonly Instruction[] = [[RETURN, 0, 0, 0]];
const ACCEPT: Instruction = [RETURN, 0, 0, WHOLE_FRAME];

/** For a socket that gets ARP: by target address for what is held, by sender address for both. */
export function arpFilter({ held, watched }: Interest): Uint8Array {
  if (held.length + watched.length === 0) return assemble(DROP);
  return assemble([
    ...dropAbove(BROADCAST),
    ...(held.length > LISTED_MAX ? [ACCEPT] : acceptIf([LOAD_WORD, 0, 0, 38], held)),
    ...acceptIf([LOAD_WORD, 0, 0, 28], [...held, ...watched]),
    ...DROP,
  ]);
}

/** For a socket that gets IPv6: neighbour messages of the link itself (hop limit 255) by their target. */
export function ndpFilter({ held, watched }: Interest): Uint8Array {
  const both = [...held, ...watched];
  if (both.length === 0) return assemble(DROP);
  return assemble([
    ...dropAbove(MULTICAST),
    // Next header 58 and hop limit 255 at once, then type 135 or 136.
    [LOAD_HALF, 0, 0, 20],
    [IF_EQUAL, 1, 0, 0x3aff],
    ...DROP,
    [LOAD_BYTE, 0, 0, 54],
    [IF_EQUAL, 2, 0, 135],
    [IF_EQUAL, 1, 0, 136],
    ...DROP,
    ...acceptIf([LOAD_WORD, 0, 0, 74], both),
    ...DROP,
  ]);
}

function dropAbove(type: number): readonly Instruction[] {
  return [[LOAD_BYTE, 0, 0, PACKET_TYPE], [IF_GREATER, 0, 1, type], ...DROP];
}

/** Accepts if the word is one of the values; else goes on behind. */
function acceptIf(load: Instruction, values: readonly number[]): readonly Instruction[] {
  const unique = [...new Set(values)];
  if (unique.length === 0) return [];
  if (unique.length > LISTED_MAX) return [ACCEPT];
  const tests = unique.map((value, index): Instruction => [IF_EQUAL, unique.length - index, 0, value >>> 0]);
  return [load, ...tests, [JUMP, 0, 0, 1], ACCEPT];
}

/** An array of struct sock_filter. */
function assemble(program: readonly Instruction[]): Uint8Array {
  const view = new DataView(new ArrayBuffer(program.length * 8));
  program.forEach(([code, jumpTrue, jumpFalse, value], index) => {
    view.setUint16(index * 8, code, true);
    view.setUint8(index * 8 + 2, jumpTrue);
    view.setUint8(index * 8 + 3, jumpFalse);
    view.setUint32(index * 8 + 4, value, true);
  });
  return new Uint8Array(view.buffer);
}
