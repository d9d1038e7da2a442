import { get } from "node:http";

export interface Answer {
  /** Milliseconds from the start of the hammering to the start of this request. */
  readonly at: number;
  readonly tookMs: number;
  readonly ok: boolean;
  /** Body without the line end, or the error. */
  readonly text: string;
}

/** Requests `url` on a new connection every `everyMs`, without waiting for replies, until `stop`. Bounded to 60 s. */
export function hammer(
  url: string,
  everyMs: number,
): { readonly answers: readonly Answer[]; stop(): Promise<readonly Answer[]> } {
  const startedAt = performance.now();
  const answers: Answer[] = [];
  const open = new Set<Promise<void>>();
  const once = () => {
    const request = ask(url, 5000).then((answer) => {
      answers.push({ ...answer, at: answer.at - startedAt });
      open.delete(request);
    });
    open.add(request);
    if (performance.now() - startedAt > 60_000) clearInterval(timer);
  };
  const timer = setInterval(once, everyMs);
  return {
    answers,
    async stop() {
      clearInterval(timer);
      await Promise.all(open);
      return [...answers].sort((a, b) => a.at - b.at);
    },
  };
}

/** One GET on a connection of its own. Never rejects. */
export function ask(url: string, timeoutMs = 2000): Promise<Answer> {
  const at = performance.now();
  return new Promise((resolve) => {
    const finish = (ok: boolean, text: string) => resolve({ at, tookMs: performance.now() - at, ok, text });
    const request = get(url, { agent: false, timeout: timeoutMs }, (response) => {
      let text = "";
      response.setEncoding("utf8");
      response.on("data", (chunk: string) => {
        text += chunk;
      });
      response.on("end", () => finish(response.statusCode === 200, text.trimEnd()));
      response.on("error", (error) => finish(false, error.message));
    });
    request.on("timeout", () => request.destroy(new Error(`no reply within ${timeoutMs} ms`)));
    request.on("error", (error) => finish(false, error.message));
  });
}

/** The pod that wrote a reply: `POD: x  NODE: y`, any spacing. */
export function podOf(text: string): string | null {
  return /POD:\s*(\S+)\s+NODE:\s*(\S+)/.exec(text)?.[1] ?? null;
}

export function nodeOf(text: string): string | null {
  return /POD:\s*(\S+)\s+NODE:\s*(\S+)/.exec(text)?.[2] ?? null;
}

/** The longest time in which no request that was started got an answer, in milliseconds. */
export function longestOutage(answers: readonly Answer[]): number {
  const good = answers.filter(({ ok }) => ok).map(({ at, tookMs }) => at + tookMs);
  good.sort((a, b) => a - b);
  let longest = 0;
  for (let i = 1; i < good.length; i++) longest = Math.max(longest, (good[i] ?? 0) - (good[i - 1] ?? 0));
  return longest;
}
