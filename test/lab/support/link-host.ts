/**
 * A speaker's wire as a process of its own, to be run on a host of the lab:
 * packet link and announcer, told what to do by lines of JSON on stdin, and
 * saying on stdout what it sees. Its first argument is the name pattern of the
 * interfaces to leave out.
 */
import { createInterface } from "node:readline";
import { openPacketLink } from "#net/packet/packet-link";
import { systemClock } from "#runtime/clock";
import { jsonLog } from "#runtime/log";
import { Metrics } from "#runtime/metrics";
import { Announcer } from "#speaker/announcer";
import { askWire } from "#speaker/who-has";

export type Command =
  | { readonly kind: "hold"; readonly address: string; readonly interfaces?: readonly string[] }
  | { readonly kind: "drop"; readonly address: string }
  | { readonly kind: "ask"; readonly address: string; readonly senderIp: string }
  /** Leaves out the interfaces of that name pattern from now on. */
  | { readonly kind: "exclude"; readonly pattern: string }
  | { readonly kind: "metrics" }
  /** Keeps the main thread busy for so many ms of every period, until told 0. */
  | { readonly kind: "busy"; readonly ms: number; readonly everyMs: number }
  | { readonly kind: "usage" }
  | { readonly kind: "close" };

const say = (kind: string, value: unknown) => process.stdout.write(`${JSON.stringify({ kind, value })}\n`);
const exclude = process.argv[2] === undefined ? [] : [new RegExp(process.argv[2])];
const link = await openPacketLink({
  log: jsonLog({ write: (line) => process.stderr.write(line) }),
  exclude,
  onFailure: (cause) => {
    say("failure", cause.message);
    process.exit(1);
  },
});
const metrics = new Metrics();
const announcer = new Announcer({ link, clock: systemClock, metrics });
let spinning: NodeJS.Timeout | null = null;
say("info", link.info());
link.onInfo(() => say("info", link.info()));

createInterface({ input: process.stdin }).on("line", (line) => {
  const command = JSON.parse(line) as Command;
  void run(command).then((value) => say("done", value));
});

async function run(command: Command): Promise<unknown> {
  switch (command.kind) {
    case "hold":
      announcer.hold(command.address, command.interfaces ?? null);
      return null;
    case "drop":
      announcer.drop(command.address);
      return null;
    case "ask":
      return askWire(
        {
          link,
          clock: systemClock,
          senderIp: command.senderIp,
          announces: (ip, name) => announcer.holds(ip, name) === "yes",
        },
        [command.address],
      );
    case "exclude":
      link.exclude([new RegExp(command.pattern)]);
      return null;
    case "metrics":
      return metrics.render();
    case "busy":
      if (spinning !== null) clearInterval(spinning);
      spinning = command.ms === 0 ? null : setInterval(() => spin(command.ms), command.everyMs);
      return null;
    case "usage":
      return { cpu: process.cpuUsage(), rss: process.memoryUsage.rss(), resources: process.resourceUsage() };
    case "close":
      announcer.close();
      await link.close();
      setImmediate(() => process.exit(0));
      return null;
  }
}

function spin(ms: number): void {
  for (const end = performance.now() + ms; performance.now() < end; );
}
