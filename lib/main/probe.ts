import { createInterface } from "node:readline";
import { runAgent } from "#probe/agent";
import { runTerminal } from "#probe/terminal";
import { systemClock } from "#runtime/clock";
import { jsonLog } from "#runtime/log";
import { parseFlags } from "./flags.ts";
import { watchLifeline } from "./lifeline.ts";

const OPTIONS = {
  agent: { type: "boolean" },
  rate: { type: "string" },
  seconds: { type: "string" },
  help: { type: "boolean", short: "h" },
} as const;

const HELP = `Usage: berth probe <url> [--rate 5] [--seconds 60]

Requests the URL on a new connection each time, prints every reply, and at the
end says which pod answered how often. --rate 0.1 to 50 requests per second.`;

/** `berth probe <url>`: the terminal twin of the Traffic page; `--agent`: the dashboard's prober (NDJSON). */
export async function run(args: readonly string[]): Promise<number> {
  const { values, positionals } = parseFlags(args, OPTIONS, 1);
  if (values.help) {
    console.log(HELP);
    return 0;
  }
  process.stdout.on("error", () => process.exit(0));
  const ending = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => ending.abort());
  if (values.agent) {
    watchLifeline(() => process.exit(0));
    const log = jsonLog({ fields: { component: "probe" }, write: (line) => void process.stderr.write(line) });
    const input = createInterface({ input: process.stdin });
    ending.signal.addEventListener("abort", () => input.close());
    await runAgent({ input, output: (line) => void process.stdout.write(`${line}\n`), clock: systemClock, log });
    return 0;
  }
  return runTerminal({
    url: positionals[0],
    rate: values.rate,
    seconds: values.seconds,
    output: (text) => void process.stdout.write(`${text}\n`),
    clock: systemClock,
    signal: ending.signal,
  });
}
