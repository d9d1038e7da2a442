import type { Dispatcher } from "undici";
import { Fault } from "#core/errors";

export interface Reply {
  readonly status: number;
  readonly text: string;
}

interface Hooks {
  /** Asked when the first byte is about to leave. */
  readonly mayStart?: (() => boolean) | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * One request with its whole reply as text; rejects with whatever broke it, or the signal's reason. Straight on the
 * dispatcher: the stream that `request` would make of each reply costs as much as all the rest of a small write.
 */
export function exchange(dispatcher: Dispatcher, options: Dispatcher.DispatchOptions, hooks: Hooks): Promise<Reply> {
  return new Promise((resolve, reject) => {
    if (hooks.signal?.aborted === true) reject(hooks.signal.reason);
    else dispatcher.dispatch(options, new Exchange(resolve, reject, hooks));
  });
}

class Exchange implements Dispatcher.DispatchHandler {
  readonly #resolve: (reply: Reply) => void;
  readonly #reject: (thrown: unknown) => void;
  readonly #hooks: Hooks;
  #controller: Dispatcher.DispatchController | null = null;
  #status = 0;
  #first: Buffer | null = null;
  #more: Buffer[] | null = null;

  constructor(resolve: (reply: Reply) => void, reject: (thrown: unknown) => void, hooks: Hooks) {
    this.#resolve = resolve;
    this.#reject = reject;
    this.#hooks = hooks;
    hooks.signal?.addEventListener("abort", this.#abort);
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    const { mayStart, signal } = this.#hooks;
    // It may have waited long for a connection: what held when it was made need not hold when it is sent.
    if (signal?.aborted === true) controller.abort(signal.reason);
    else if (mayStart?.() === false) throw new Fault("unavailable", "not sent: it may not be written any more");
    else this.#controller = controller;
  }

  onResponseStart(_controller: Dispatcher.DispatchController, status: number): void {
    this.#status = status;
  }

  onResponseData(_controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (this.#first === null) this.#first = chunk;
    else {
      this.#more ??= [this.#first];
      this.#more.push(chunk);
    }
  }

  onResponseEnd(): void {
    this.#forget();
    const body = this.#more === null ? this.#first : Buffer.concat(this.#more);
    this.#resolve({ status: this.#status, text: body === null ? "" : body.toString("utf8") });
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    this.#forget();
    this.#reject(error);
  }

  readonly #abort = (): void => {
    const reason: unknown = this.#hooks.signal?.reason;
    this.#forget();
    this.#reject(reason);
    this.#controller?.abort(reason instanceof Error ? reason : new Error(String(reason)));
  };

  #forget(): void {
    this.#hooks.signal?.removeEventListener("abort", this.#abort);
  }
}
