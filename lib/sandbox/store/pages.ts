import { existsSync, readFileSync } from "node:fs";

/**
 * Reads the rows of a SQLite file from its pages alone (sqlite.org/fileformat2.html), for files that SQLite itself gives
 * up on: a damaged page costs what was on it and nothing else.
 */

/** SQLite's own default; the store never sets another. */
const PAGE = 4096;
/** §1.6: types of pages whose cells hold records. */
const TABLE_LEAF = 0x0d;
const INDEX_LEAF = 0x0a;
const INDEX_INTERIOR = 0x02;
/** §1.6: how much of a record stays on its page. */
const INDEX_LOCAL_MAX = Math.floor(((PAGE - 12) * 64) / 255) - 23;
const TABLE_LOCAL_MAX = PAGE - 35;
const LOCAL_MIN = Math.floor(((PAGE - 12) * 32) / 255) - 23;
const RECORD_MAX = 8 * 1024 * 1024;

export type Value = string | number | null;

type Pages = ReadonlyMap<number, Buffer>;

/** The records of every table and index of the file and of its log, in no order; parts that are damaged are skipped. */
export function* recordsOf(path: string): Generator<readonly Value[]> {
  const pages = readPages(path);
  const free = freePages(pages);
  for (const [number, page] of pages) {
    // The first page only says which tables there are.
    if (number === 1 || free.has(number)) continue;
    yield* recordsOn(page, pages);
  }
}

function readPages(path: string): Pages {
  const pages = new Map<number, Buffer>();
  const file = readFileSync(path);
  for (let at = 0; at + PAGE <= file.length; at += PAGE) pages.set(at / PAGE + 1, file.subarray(at, at + PAGE));
  if (existsSync(`${path}-wal`)) overlay(pages, readFileSync(`${path}-wal`));
  return pages;
}

/** §4: frames of 24 octets and a page behind a header of 32; those of a commit count together, old ones have other salts. */
function overlay(pages: Map<number, Buffer>, log: Buffer): void {
  const pending = new Map<number, Buffer>();
  for (let at = 32; at + 24 + PAGE <= log.length; at += 24 + PAGE) {
    if (!log.subarray(at + 8, at + 16).equals(log.subarray(16, 24))) return;
    pending.set(log.readUInt32BE(at), log.subarray(at + 24, at + 24 + PAGE));
    if (log.readUInt32BE(at + 4) === 0) continue;
    for (const [number, page] of pending) pages.set(number, page);
    pending.clear();
  }
}

/** §1.5: pages whose rows are gone. */
function freePages(pages: Pages): ReadonlySet<number> {
  const free = new Set<number>();
  let trunk = pages.get(1)?.readUInt32BE(32) ?? 0;
  while (trunk !== 0 && !free.has(trunk)) {
    const page = pages.get(trunk);
    free.add(trunk);
    if (page === undefined) break;
    const count = Math.min(page.readUInt32BE(4), PAGE / 4 - 2);
    for (let i = 0; i < count; i++) free.add(page.readUInt32BE(8 + i * 4));
    trunk = page.readUInt32BE(0);
  }
  return free;
}

/** §1.6: the cells of a page. */
function* recordsOn(page: Buffer, pages: Pages): Generator<readonly Value[]> {
  const type = page[0];
  if (type !== TABLE_LEAF && type !== INDEX_LEAF && type !== INDEX_INTERIOR) return;
  const header = type === INDEX_INTERIOR ? 12 : 8;
  const cells = Math.min(page.readUInt16BE(3), (PAGE - header) / 2);
  for (let i = 0; i < cells; i++) {
    try {
      const payload = payloadOf(page, page.readUInt16BE(header + i * 2), type, pages);
      if (payload !== undefined) yield recordIn(payload);
    } catch {
      // Reading beyond the end of a page or record: this cell is damaged.
    }
  }
}

/** A cell's whole record, put together from its page and the overflow pages; undefined when one is missing. */
function payloadOf(page: Buffer, cell: number, type: number, pages: Pages): Buffer | undefined {
  const [length, after] = varint(page, type === INDEX_INTERIOR ? cell + 4 : cell);
  // The row id comes between length and record.
  const start = type === TABLE_LEAF ? varint(page, after)[1] : after;
  const localMax = type === TABLE_LEAF ? TABLE_LOCAL_MAX : INDEX_LOCAL_MAX;
  if (length > RECORD_MAX) return undefined;
  if (length <= localMax) return start + length <= PAGE ? page.subarray(start, start + length) : undefined;
  const fitting = LOCAL_MIN + ((length - LOCAL_MIN) % (PAGE - 4));
  const local = fitting <= localMax ? fitting : LOCAL_MIN;
  const parts = [page.subarray(start, start + local)];
  let next = page.readUInt32BE(start + local);
  for (let left = length - local; left > 0; ) {
    const overflow = pages.get(next);
    if (overflow === undefined) return undefined;
    const part = overflow.subarray(4, 4 + Math.min(left, PAGE - 4));
    parts.push(part);
    left -= part.length;
    next = overflow.readUInt32BE(0);
  }
  return Buffer.concat(parts);
}

/** §2.1: a header of serial types, then the values. */
function recordIn(payload: Buffer): readonly Value[] {
  const [headerEnd, first] = varint(payload, 0);
  const types: number[] = [];
  for (let at = first; at < headerEnd; ) {
    const [type, next] = varint(payload, at);
    types.push(type);
    at = next;
  }
  const values: Value[] = [];
  let at = headerEnd;
  for (const type of types) {
    const size = sizeOf(type);
    if (at + size > payload.length) throw new RangeError("a value ends beyond its record");
    values.push(valueAt(payload, at, type, size));
    at += size;
  }
  return values;
}

const INTEGER_SIZES = [0, 1, 2, 3, 4, 6, 8, 8, 0, 0] as const;

function sizeOf(type: number): number {
  return type >= 12 ? Math.floor((type - 12) / 2) : (INTEGER_SIZES[type] ?? 0);
}

function valueAt(payload: Buffer, at: number, type: number, size: number): Value {
  if (type >= 13 && type % 2 === 1) return payload.toString("utf8", at, at + size);
  if (type === 8 || type === 9) return type - 8;
  if (type >= 1 && type <= 5) return payload.readIntBE(at, size);
  if (type === 6) return Number(payload.readBigInt64BE(at));
  return null;
}

function varint(bytes: Buffer, from: number): readonly [value: number, next: number] {
  let value = 0;
  for (let i = 0; i < 8; i++) {
    const byte = bytes.readUInt8(from + i);
    value = value * 128 + (byte & 0x7f);
    if (byte < 0x80) return [value, from + i + 1];
  }
  throw new RangeError("a length of more than eight octets");
}
