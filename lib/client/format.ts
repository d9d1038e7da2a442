/** Numbers, times and names as they are written on screens (visual.md section 6). Pure. */
import { tryParseAddress } from "#core/address";

const SUPERSCRIPT = "⁰¹²³⁴⁵⁶⁷⁸⁹";

/** "1528" → "1,528". Takes decimal text of any length, so that an IPv6 count loses nothing. */
export function count(value: string | number | bigint): string {
  const text = typeof value === "number" ? String(Math.trunc(value)) : String(value);
  return text.replace(/\B(?=(\d{3})+(?!\d))/g, ",");
}

/** A whole number, or its power of two when it is too long to read: "2⁶⁴". */
export function size(value: string | bigint): string {
  const n = typeof value === "bigint" ? value : BigInt(value);
  if (n < 10_000_000n) return count(n);
  const bits = n.toString(2).length - 1;
  const power = `2${[...String(bits)].map((digit) => SUPERSCRIPT[Number(digit)]).join("")}`;
  return 1n << BigInt(bits) === n ? power : `about ${power}`;
}

/** "2⁶⁴ − 6" for a pool too large to print what is left; the plain count otherwise. */
export function left(use: {
  readonly total: string;
  readonly totalText: string;
  readonly assigned: string;
  readonly available: string;
}): string {
  return use.totalText === use.total || /^[\d,.\s]+$/.test(use.totalText)
    ? count(use.available)
    : `${use.totalText} − ${count(use.assigned)}`;
}

/** Share of 0..1 as "34.7 %". */
export function percent(share: number): string {
  return `${(share * 100).toFixed(1)} %`;
}

/** "38 ms", "0.4 s", "12 s", "1 m 26 s". Negative (clocks that disagree) counts as 0. */
export function elapsed(ms: number): string {
  const at = Math.max(0, ms);
  if (at < 200) return `${Math.round(at)} ms`;
  if (at < 10_000) return `${(at / 1000).toFixed(1)} s`;
  return duration(at);
}

/** Two units at most: "12 s", "5 m 06 s", "2 h 04 m", "3 d 4 h". */
export function duration(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} m ${String(seconds % 60).padStart(2, "0")} s`;
  const hours = Math.floor(minutes / 60);
  if (hours < 48) return `${hours} h ${String(minutes % 60).padStart(2, "0")} m`;
  return `${Math.floor(hours / 24)} d ${hours % 24} h`;
}

/** One unit, for tables: "1 s", "4 m", "9 h", "12 d". */
export function age(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  if (seconds < 120) return `${seconds} s`;
  if (seconds < 7200) return `${Math.floor(seconds / 60)} m`;
  if (seconds < 172_800) return `${Math.floor(seconds / 3600)} h`;
  return `${Math.floor(seconds / 86_400)} d`;
}

/** Latency: "1.8 ms", "120 ms", "1.2 s". */
export function latency(ms: number | null): string {
  if (ms === null) return "not measured";
  if (ms < 100) return `${ms.toFixed(1)} ms`;
  if (ms < 1000) return `${Math.round(ms)} ms`;
  return `${(ms / 1000).toFixed(1)} s`;
}

/** "19:01:06", local time; with tenths "19:01:06.8". */
export function clock(at: string | number | Date, tenths = false): string {
  const date = new Date(at);
  if (Number.isNaN(date.getTime())) return "not reported";
  const two = (n: number) => String(n).padStart(2, "0");
  const time = `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
  return tenths ? `${time}.${Math.floor(date.getMilliseconds() / 100)}` : time;
}

/** "74 MB" of 10^6 bytes. */
export function megabytes(bytes: number | null): string {
  return bytes === null ? "not reported" : `${Math.round(bytes / 1e6)} MB`;
}

/** Pod names are shortened in front: the last part tells pods of one owner apart. */
export function podParts(name: string): { readonly prefix: string; readonly suffix: string } {
  const at = name.lastIndexOf("-");
  return at <= 0 ? { prefix: "", suffix: name } : { prefix: name.slice(0, at + 1), suffix: name.slice(at + 1) };
}

/** "default/nginx" → its two halves. */
export function keyParts(key: string): { readonly namespace: string; readonly name: string } {
  const at = key.indexOf("/");
  return at < 0 ? { namespace: "", name: key } : { namespace: key.slice(0, at), name: key.slice(at + 1) };
}

/** "1 pool", "3 pools". */
export function plural(n: number, one: string, many = `${one}s`): string {
  return `${count(n)} ${n === 1 ? one : many}`;
}

/** Ports as one cell: "80, 443, 123/UDP". TCP goes without saying. */
export function ports(list: readonly { readonly port: number; readonly protocol: string }[]): string {
  return list.map((p) => (p.protocol === "TCP" ? String(p.port) : `${p.port}/${p.protocol}`)).join(", ");
}

/** The octets (or hextets) that all addresses share, for chips that leave them out: "127.77." */
export function sharedPrefix(addresses: readonly string[]): string {
  const first = addresses.find((address) => address.includes("."));
  if (first === undefined) return "";
  const octets = first.split(".");
  for (let keep = 2; keep > 0; keep -= 1) {
    const prefix = `${octets.slice(0, keep).join(".")}.`;
    if (addresses.every((address) => !address.includes(".") || address.startsWith(prefix))) return prefix;
  }
  return "";
}

/** Text whose order is that of the addresses: by number, IPv4 before IPv6, what is no address last. */
export function addressRank(text: string): string {
  const address = tryParseAddress(text);
  if (address === null) return `8 ${text}`;
  return `${address.family} ${address.value.toString(16).padStart(32, "0")}`;
}

/** Numeric order of addresses, as `addressRank` has it. For many, rank each once instead. */
export function compareAddresses(a: string, b: string): number {
  const [one, other] = [addressRank(a), addressRank(b)];
  return one < other ? -1 : one > other ? 1 : 0;
}
