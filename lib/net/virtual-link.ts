import { connect, type Socket } from "node:net";
import { Fault } from "#core/errors";
import { isMac } from "#core/mac";
import type { ResponderCard } from "#core/responder";
import { Answering, responderCard } from "./answering.ts";
import { accepts, isFrame } from "./ethernet.ts";
import type { Log } from "./host.ts";
import { encodeHello, encodeLanMessage, LAN_MESSAGE, LanReader } from "./lan-wire.ts";
import { LinkListeners } from "./link-listeners.ts";
import type { AnswerCounts, Link, LinkInfo } from "./port.ts";

/** Where and as whom to attach: the parsed form of `BERTH_LINK`. */
interface LanUrl {
  readonly host: string;
  readonly port: number;
  readonly node: string;
  readonly mac: string;
  readonly name: string;
  readonly token: string;
}

const BACKOFF_FIRST_MS = 20;
const BACKOFF_LAST_MS = 1_000;
const CONNECT_MS = 2_000;
/** How long opening waits for the first attachment; after that the link is returned as it is, down. */
const FIRST_UP_MS = 2_000;
/** Octets that may wait for the socket before frames are dropped, as a full transmit queue would. */
const BACKLOG_MAX = 256 * 1024;

/**
 * Reads `lan://127.0.0.1:PORT/node-01?mac=02:be:…&name=eth0&token=…`.
 * Throws Fault `invalid` naming the part that is wrong; only loopback is accepted.
 */
export function parseLanUrl(text: string): LanUrl {
  const bad = (part: string, right: string) =>
    new Fault("invalid", `BERTH_LINK: ${part} must be ${right}`, { fields: { [part]: right } });
  if (!URL.canParse(text)) throw bad("url", "lan://127.0.0.1:PORT/NODE?mac=…&name=eth0&token=…");
  const url = new URL(text);
  if (url.protocol !== "lan:") throw bad("scheme", "lan:");
  if (!/^127(\.\d{1,3}){3}$/.test(url.hostname)) throw bad("host", "an address of 127.0.0.0/8");
  const port = Number(url.port);
  if (!Number.isInteger(port) || port < 1) throw bad("port", "1 to 65535");
  const node = decodeURIComponent(url.pathname.slice(1));
  if (node === "" || node.length > 253) throw bad("path", "the name of a node");
  const mac = (url.searchParams.get("mac") ?? "").toLowerCase();
  if (!isMac(mac)) throw bad("mac", "six octets such as 02:be:77:00:00:11");
  return {
    host: url.hostname,
    port,
    node,
    mac,
    name: url.searchParams.get("name") ?? "eth0",
    token: url.searchParams.get("token") ?? "",
  };
}

/**
 * A card on the sandbox's virtual LAN. It attaches again by itself with
 * back-off (20 ms to 1 s) whenever the LAN drops it; `info().up` says whether
 * it is attached and the node has power. Resolves when first attached, or
 * after 2 s with the interface down. Throws Fault `invalid` for a bad URL only.
 */
export async function openVirtualLink(url: string, options: { readonly log: Log }): Promise<Link> {
  const link = new VirtualLink(parseLanUrl(url), options.log);
  await link.firstUp(FIRST_UP_MS);
  return link;
}

class VirtualLink implements Link {
  readonly #at: LanUrl;
  readonly #log: Log;
  readonly #answering = new Answering();
  readonly #card: ResponderCard;
  readonly #listeners: LinkListeners;
  #info: readonly LinkInfo[];
  #socket: Socket | null = null;
  #retry: NodeJS.Timeout | null = null;
  #backoffMs = BACKOFF_FIRST_MS;
  #closed = false;

  constructor(at: LanUrl, log: Log) {
    this.#at = at;
    this.#log = log;
    this.#listeners = new LinkListeners("virtual link", log);
    this.#card = responderCard(at.name, at.mac);
    this.#info = [{ name: at.name, mac: at.mac, up: false }];
    this.#connect();
  }

  info(): readonly LinkInfo[] {
    return this.#info;
  }

  onInfo(listener: () => void): () => void {
    return this.#listeners.onInfo(listener);
  }

  frames(listener: (frame: Uint8Array, interfaceName: string) => void): () => void {
    return this.#listeners.onFrame(listener);
  }

  send(interfaceName: string, frame: Uint8Array): void {
    const socket = this.#socket;
    if (socket === null || !this.#up || interfaceName !== this.#at.name || !isFrame(frame)) return;
    if (socket.writableLength > BACKLOG_MAX) return;
    socket.write(encodeLanMessage(LAN_MESSAGE.frame, frame));
  }

  answer(address: string, interfaces: readonly string[] | null): void {
    this.#answering.answer(address, interfaces);
  }

  silence(address: string): void {
    this.#answering.silence(address);
  }

  takeCounts(): AnswerCounts {
    return this.#answering.takeCounts();
  }

  attend(): () => void {
    return this.#answering.attend();
  }

  async close(): Promise<void> {
    this.#closed = true;
    if (this.#retry !== null) clearTimeout(this.#retry);
    this.#socket?.destroy();
    this.#socket = null;
    this.#listeners.clear();
  }

  firstUp(withinMs: number): Promise<void> {
    return new Promise((resolve) => {
      const done = () => {
        clearTimeout(timer);
        stop();
        resolve();
      };
      const stop = this.onInfo(done);
      const timer = setTimeout(done, withinMs);
      if (this.#up) done();
    });
  }

  get #up(): boolean {
    return this.#info[0]?.up ?? false;
  }

  #connect(): void {
    const reader = new LanReader();
    const socket = connect({ host: this.#at.host, port: this.#at.port, noDelay: true });
    this.#socket = socket;
    socket.setTimeout(CONNECT_MS, () => socket.destroy());
    socket.on("connect", () => {
      socket.setTimeout(0);
      socket.write(encodeHello({ node: this.#at.node, mac: this.#at.mac, token: this.#at.token }));
    });
    socket.on("data", (chunk) => {
      try {
        for (const message of reader.push(chunk)) this.#receive(message.type, message.payload);
      } catch (error) {
        this.#log.warn("virtual link received bytes that are not the LAN's", { error });
        socket.destroy();
      }
    });
    // "close" follows every error; one place to start over is enough.
    socket.on("error", () => undefined);
    socket.on("close", () => this.#lost(socket));
  }

  #receive(type: number, payload: Uint8Array): void {
    if (type === LAN_MESSAGE.state) {
      this.#backoffMs = BACKOFF_FIRST_MS;
      this.#setUp(payload[0] === 1);
    } else if (
      type === LAN_MESSAGE.frame &&
      isFrame(payload) &&
      accepts(payload, this.#at.mac, this.#answering.groups)
    ) {
      const reply = this.#answering.replyTo(payload, this.#card);
      if (reply !== null) this.send(this.#at.name, reply);
      this.#listeners.frame(payload, this.#at.name);
    }
  }

  #lost(socket: Socket): void {
    if (this.#socket !== socket) return;
    this.#socket = null;
    this.#setUp(false);
    if (this.#closed) return;
    this.#retry = setTimeout(() => this.#connect(), this.#backoffMs);
    this.#backoffMs = Math.min(this.#backoffMs * 2, BACKOFF_LAST_MS);
  }

  #setUp(up: boolean): void {
    if (this.#up === up) return;
    this.#info = [{ name: this.#at.name, mac: this.#at.mac, up }];
    this.#listeners.infoChanged();
  }
}
