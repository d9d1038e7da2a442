import type { MessagePort } from "node:worker_threads";
import type { AnswerCounts } from "#core/responder";
import type { LinkInfo } from "../port.ts";

/** What the main thread tells the thread that owns the sockets; applied in order. */
export type WireCommand =
  | { readonly kind: "answer"; readonly address: string; readonly interfaces: readonly string[] | null }
  | { readonly kind: "silence"; readonly address: string }
  | { readonly kind: "attend" | "ignore"; readonly addresses: readonly string[] }
  | { readonly kind: "exclude"; readonly patterns: readonly string[] }
  | { readonly kind: "send"; readonly name: string; readonly frame: Uint8Array }
  | { readonly kind: "close" };

/** What it hears back: `awake` or `failed` first, then the first `info`. */
export type WireReport =
  /** Commands are looked for when something was written to this descriptor. */
  | { readonly kind: "awake"; readonly wakeFd: number }
  | { readonly kind: "info"; readonly info: readonly LinkInfo[] }
  | { readonly kind: "frames"; readonly frames: readonly { readonly name: string; readonly frame: Uint8Array }[] }
  | { readonly kind: "counts"; readonly counts: AnswerCounts }
  | { readonly kind: "warning"; readonly message: string; readonly fields: Readonly<Record<string, unknown>> }
  | { readonly kind: "failed"; readonly call: string; readonly errno: number };

/** What `start-worker.mjs` needs of any thread. */
export interface ThreadSettings {
  /** The URL of its program. */
  readonly entry: string;
  /** Where the main thread keeps compiled code; null for nowhere. */
  readonly compileCache: string | null;
}

/** What the thread is started with. */
export interface WireSettings extends ThreadSettings {
  /** Sources of regular expressions; interfaces with a name that one of them matches do not exist for us. */
  readonly exclude: readonly string[];
  /** Commands come from it, reports go to it. */
  readonly port: MessagePort;
}
