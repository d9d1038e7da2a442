import { spawn } from "node:child_process";
import { constants } from "node:os";
import { resolve } from "node:path";
import { Fault } from "#core/errors";
import { dataDirFlag, parseFlags } from "./flags.ts";
import { onHost, readLab } from "./lab-namespaces.ts";

const OPTIONS = { "data-dir": { type: "string" }, help: { type: "boolean", short: "h" } } as const;

const HELP = `Usage: berth lab list [flags]
       berth lab exec [flags] <host> [--] <command> [args]

The hosts of a running sandbox with --network netns, each a network namespace; or: run a
command on one of them, with this machine's programs and files.

  berth lab exec client -- curl http://10.77.10.1
  berth lab exec client -- ip neigh
  berth lab exec node-01 -- tcpdump -ni eth0 arp
  berth lab exec switch -- ip link set node-01 down     pulls that node's cable

  --data-dir .berth    the sandbox's state      BERTH_DATA_DIR`;

/** `berth lab list` and `berth lab exec <host> -- <command>`: its exit code is the command's. */
export async function run(args: readonly string[]): Promise<number> {
  const { own, command } = split(args);
  const { values, positionals } = parseFlags(own, OPTIONS, 2);
  const [verb, host] = positionals;
  if (values.help || verb === undefined) {
    console.log(HELP);
    return values.help ? 0 : 2;
  }
  const dataDir = resolve(dataDirFlag(values["data-dir"], process.env) ?? ".berth");
  const lab = readLab(dataDir);
  if (verb !== "list" && verb !== "exec") {
    throw new Fault("invalid", `after "lab" only "list" or "exec <host> -- <command>" may follow, not ${verb}.`);
  }
  if (lab === null) {
    throw new Fault(
      "not_found",
      `no sandbox with --network netns runs from ${dataDir}; start one, or name its --data-dir.`,
    );
  }
  if (verb === "list") {
    const width = Math.max(...lab.hosts.map(({ name }) => name.length));
    for (const { name, summary } of lab.hosts) console.log(`${name.padEnd(width)}  ${summary}`);
    return 0;
  }
  if (host === undefined) throw new Fault("invalid", "lab exec: a host is needed; berth lab list shows them.");
  if (command.length === 0) throw new Fault("invalid", `lab exec ${host}: a command is needed after the host.`);
  return execute([...onHost(lab, host), ...command]);
}

/** What is ours, and the command: all after the first `--`, or after the host. */
function split(args: readonly string[]): { readonly own: readonly string[]; readonly command: readonly string[] } {
  const exec = args.indexOf("exec");
  if (exec === -1) return { own: args, command: [] };
  let at = exec + 1;
  while (at < args.length && args[at]?.startsWith("-") === true && args[at] !== "--") {
    at += args[at] === "--data-dir" ? 2 : 1;
  }
  const rest = args.slice(at + 1);
  return { own: args.slice(0, at + 1), command: rest[0] === "--" ? rest.slice(1) : rest };
}

function execute([command = "", ...args]: readonly string[]): Promise<number> {
  return new Promise((done, reject) => {
    const child = spawn(command, args, { stdio: "inherit" });
    // A Ctrl-C reaches the command from the terminal; what it makes of it is its own business.
    process.on("SIGINT", () => undefined);
    for (const signal of ["SIGTERM", "SIGHUP"] as const) process.on(signal, () => child.kill(signal));
    child.once("error", (cause) => reject(new Fault("unavailable", `${command}: ${cause.message}`, { cause })));
    child.once("exit", (code, signal) => done(code ?? 128 + (signal === null ? 1 : constants.signals[signal])));
  });
}
