import { closeSync, writeSync } from "node:fs";
import { getCompileCacheDir } from "node:module";
import { MessageChannel, type MessagePort, receiveMessageOnPort, Worker } from "node:worker_threads";
import { Fault } from "#core/errors";
import { isFrame } from "../ethernet.ts";
import type { Log } from "../host.ts";
import { LinkListeners } from "../link-listeners.ts";
import type { AnswerCounts, Link, LinkInfo } from "../port.ts";
import { AnswerTotals } from "./answer-totals.ts";
import { ERRNO } from "./layouts.ts";
import type { WireCommand, WireReport, WireSettings } from "./messages.ts";

/** The sockets are open long before; a machine under load may need it. */
const START_MS = 10_000;
const CLOSE_MS = 1_000;
/** The thread keeps tables and buffers, no more: a small heap, most of all a small young one. */
const LIMITS = { maxOldGenerationSizeMb: 64, maxYoungGenerationSizeMb: 2, stackSizeMb: 1 };

/** What wakes an eventfd: the number one. */
const ONE = new Uint8Array(BigUint64Array.of(1n).buffer);

interface PacketLinkOptions {
  readonly log: Log;
  /** Regular expressions; interfaces with a name that one of them matches are left alone (metallb.md 1.8). */
  readonly exclude: readonly RegExp[];
  /** The thread died, and nothing is answered any more. */
  readonly onFailure: (cause: Fault) => void;
}

/** The wire of this host. */
interface HostLink extends Link {
  /** Replaces what `PacketLinkOptions.exclude` said. */
  exclude(patterns: readonly RegExp[]): void;
}

/**
 * The host's real interfaces, by packet sockets in a thread of their own. Needs
 * Linux and CAP_NET_RAW: throws Fault `forbidden` without the capability,
 * `unavailable` where there are no such sockets. Resolves when the interfaces
 * are known and answered on.
 */
export async function openPacketLink(options: PacketLinkOptions): Promise<HostLink> {
  if (process.platform !== "linux") {
    throw new Fault("unavailable", `packet sockets need Linux, and this is ${process.platform}.`);
  }
  const link = new PacketLink(options);
  await link.started;
  return link;
}

class PacketLink implements HostLink {
  readonly started: Promise<void>;
  readonly #log: Log;
  readonly #worker: Worker;
  readonly #port: MessagePort;
  readonly #listeners: LinkListeners;
  readonly #totals = new AnswerTotals();
  #info: readonly LinkInfo[] = [];
  #closing = false;
  /** Of the thread; null before it has said so, and when it has ended. */
  #wakeFd: number | null = null;
  #over = false;
  readonly #leave = () => this.#command({ kind: "close" });

  constructor({ log, exclude, onFailure }: PacketLinkOptions) {
    this.#log = log;
    this.#listeners = new LinkListeners("packet link", log);
    const { port1, port2 } = new MessageChannel();
    this.#port = port1;
    const settings: WireSettings = {
      entry: new URL("./worker.ts", import.meta.url).href,
      exclude: sourcesOf(exclude),
      port: port2,
      compileCache: getCompileCacheDir() ?? null,
    };
    this.#worker = new Worker(new URL("./start-worker.mjs", import.meta.url), {
      name: "berth-wire",
      workerData: settings,
      transferList: [port2],
      resourceLimits: LIMITS,
    });
    // Node waits for its threads when the process exits, and this one waits in the kernel.
    process.once("exit", this.#leave);
    this.started = new Promise((resolve, reject) => {
      let phase: "starting" | "running" | "ended" = "starting";
      const fail = (cause: Fault) => {
        clearTimeout(timer);
        this.#ended();
        if (phase === "starting") reject(cause);
        else if (phase === "running" && !this.#closing) onFailure(cause);
        phase = "ended";
        this.#setInfo([]);
      };
      const timer = setTimeout(() => {
        void this.#worker.terminate();
        this.#wake();
        fail(new Fault("unavailable", `the packet sockets did not start within ${START_MS / 1000} s`));
      }, START_MS);
      const hear = (report: WireReport) => {
        if (report.kind === "failed") fail(whyNot(report));
        else this.#hear(report);
        if (report.kind !== "info" || phase !== "starting") return;
        clearTimeout(timer);
        phase = "running";
        resolve();
      };
      this.#port.on("message", hear);
      this.#worker.on("error", (cause) =>
        fail(new Fault("internal", "the thread of the packet sockets failed", { cause })),
      );
      this.#worker.on("exit", (code) => {
        // Node tells of the end before it has handed over what was said last: why it ended.
        for (let last = receiveMessageOnPort(this.#port); last; last = receiveMessageOnPort(this.#port)) {
          hear(last.message);
        }
        fail(new Fault("internal", `the thread of the packet sockets ended with code ${code}`));
      });
    });
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

  send(name: string, frame: Uint8Array): void {
    if (isFrame(frame)) this.#command({ kind: "send", name, frame });
  }

  answer(address: string, interfaces: readonly string[] | null): void {
    this.#command({ kind: "answer", address, interfaces });
  }

  silence(address: string): void {
    this.#command({ kind: "silence", address });
  }

  exclude(patterns: readonly RegExp[]): void {
    this.#command({ kind: "exclude", patterns: sourcesOf(patterns) });
  }

  takeCounts(): AnswerCounts {
    return this.#totals.take();
  }

  attend(addresses: readonly string[]): () => void {
    this.#command({ kind: "attend", addresses });
    let attending = true;
    return () => {
      if (attending) this.#command({ kind: "ignore", addresses });
      attending = false;
    };
  }

  async close(): Promise<void> {
    if (this.#closing || this.#over) return;
    this.#command({ kind: "close" });
    this.#closing = true;
    this.#listeners.clear();
    const ended = new Promise<void>((resolve) => this.#worker.once("exit", () => resolve()));
    const timer = setTimeout(() => {
      // It returns to JavaScript, and ends there, only when it is woken.
      void this.#worker.terminate();
      this.#wake();
    }, CLOSE_MS);
    await ended;
    clearTimeout(timer);
  }

  #command(command: WireCommand): void {
    if (this.#closing) return;
    this.#port.postMessage(command);
    this.#wake();
  }

  #wake(): void {
    if (this.#wakeFd !== null) writeSync(this.#wakeFd, ONE);
  }

  #ended(): void {
    process.off("exit", this.#leave);
    this.#over = true;
    if (this.#wakeFd !== null) closeSync(this.#wakeFd);
    this.#wakeFd = null;
    this.#port.close();
  }

  #hear(report: WireReport): void {
    switch (report.kind) {
      case "awake":
        this.#wakeFd = report.wakeFd;
        break;
      case "info":
        this.#setInfo(report.info);
        break;
      case "frames":
        for (const { name, frame } of report.frames) {
          this.#listeners.frame(frame, name);
        }
        break;
      case "counts":
        this.#totals.add(report.counts);
        break;
      case "warning":
        this.#log.warn(report.message, report.fields);
        break;
      case "failed":
        break;
    }
  }

  #setInfo(info: readonly LinkInfo[]): void {
    this.#info = info;
    this.#listeners.infoChanged();
  }
}

function sourcesOf(patterns: readonly RegExp[]): readonly string[] {
  return patterns.map(({ source }) => source);
}

function whyNot({ call, errno }: { readonly call: string; readonly errno: number }): Fault {
  if (errno === ERRNO.eperm) {
    return new Fault(
      "forbidden",
      "no packet sockets: the speaker needs the capability NET_RAW (securityContext.capabilities.add of its container, or root).",
    );
  }
  return new Fault("unavailable", `no packet sockets on this host: ${call} failed with errno ${errno}.`);
}
