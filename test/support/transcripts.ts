import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";

export interface Outcome {
  readonly stdout: string;
  readonly stderr: string;
  readonly exit: number;
}

/** What kubectl was asked and what came out. */
export interface Transcript extends Outcome {
  readonly number: number;
  readonly command: string;
}

/** One line of commands.txt: a command with its transcript, or a pause. */
export type Step = { readonly kind: "command"; readonly expected: Transcript } | { readonly kind: "settle" };

/** Reads commands.txt and transcripts/ of a folder, in order. */
export function readSteps(folder: string): readonly Step[] {
  let number = 0;
  return readFileSync(join(folder, "commands.txt"), "utf8")
    .split("\n")
    .filter((line) => line !== "")
    .map((line): Step => {
      if (line.startsWith("@")) return { kind: "settle" };
      number++;
      const file = join(folder, "transcripts", `${String(number).padStart(3, "0")}.txt`);
      const expected = parseTranscript(number, readFileSync(file, "utf8"));
      if (expected.command !== line) throw new Error(`${file} is of "${expected.command}", not of "${line}"`);
      return { kind: "command", expected };
    });
}

function parseTranscript(number: number, text: string): Transcript {
  const found = /^\$ ([^\n]*)\n([\s\S]*?)(?:--- stderr\n([\s\S]*?))?--- exit (\d+)\n?$/.exec(text);
  if (found === null) throw new Error(`transcript ${number} cannot be read`);
  const [, command = "", stdout = "", stderr = "", exit] = found;
  return { number, command, stdout, stderr, exit: Number(exit) };
}

/** Runs one command line in a shell whose kubectl speaks to `kubeconfig`; `cacheDir` keeps discovery out of $HOME. */
export function runCommand(
  command: string,
  at: { readonly folder: string; readonly kubeconfig: string; readonly cacheDir: string },
): Promise<Outcome> {
  return new Promise((resolve) => {
    const env = { ...process.env, KUBECONFIG: at.kubeconfig, KUBECACHEDIR: at.cacheDir, LC_ALL: "C", TZ: "UTC" };
    execFile("sh", ["-c", command], { cwd: at.folder, env, timeout: 60_000 }, (error, stdout, stderr) => {
      const exit = error === null ? 0 : typeof error.code === "number" ? error.code : -1;
      resolve({ stdout, stderr, exit });
    });
  });
}

/** What changes from run to run, and the addresses by which any two clusters differ; most specific first. */
const CHANGING: readonly Rewrite[] = [
  [/\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b/g, "<uid>"],
  [/\b20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z/g, "<time>"],
  [/\b20\d\d-\d\d-\d\d \d\d:\d\d:\d\d\.\d+ \+0000/g, "<time>"],
  [/\b[A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} 20\d\d \d\d:\d\d:\d\d \+0000/g, "<time>"],
  [/(resourceVersion"?: "?|Resource Version: +)\d+/g, "$1<rv>"],
  [/https:\/\/127\.0\.0\.1:\d+/g, "<server>"],
  [/[\w/.-]+\/(LIVE|MERGED)-\d+\//g, "<tmp>/$1/"],
  [/\bnginx-app-(?:[0-9a-z]{6,10}|<rs>)-(?:[0-9a-z]{5}\b|<pod>)/g, "nginx-app-<rs>-<pod>"],
  [/\bnginx-app-[0-9a-z]{6,10}\b/g, "nginx-app-<rs>"],
  [/(pod-template-hash[=:] ?)[0-9a-z]{6,10}/g, "$1<rs>"],
  [/\bkube-api-access-[0-9a-z]{5}\b/g, "kube-api-access-<id>"],
  [/\bnginx-[0-9a-z]{5}\b/g, "nginx-<slice>"],
  [/\b(?:127\.77\.0|192\.0\.2)\.1[123]\b/g, "<node-ip>"],
  [/\b10\.244\.\d+\.\d+\b/g, "<pod-ip>"],
  [/\bfd77:244:\d+::[\da-f]*/g, "<pod-ip6>"],
  [/\b10\.96\.\d+\.\d+\b/g, "<cluster-ip>"],
  [/(nodePort"?: |:|<unset> +)3[0-2]\d{3}\b/g, "$1<node-port>"],
  [/\b(?:\d+d)?(?:\d+h)?(?:\d+m)?\d+[smhd]\b/g, "<age>"],
];

export type Rewrite = readonly [pattern: RegExp, by: string];

/**
 * What a person compares by eye: what changes is replaced (then `more` of the command's own), runs of blanks are one
 * blank, and neighbouring rows of objects with random names are in a fixed order.
 */
export function normalise(text: string, more: readonly Rewrite[] = []): string {
  const plain = [...CHANGING, ...more].reduce((now, [pattern, by]) => now.replace(pattern, by), text);
  const lines = plain.split("\n").map((line) => line.replace(/[ \t]+/g, " ").trimEnd());
  return ordered(lines).join("\n").replace(/\n+$/, "");
}

function ordered(lines: readonly string[]): readonly string[] {
  const sorted: string[] = [];
  let rows: string[] = [];
  const nameOf = (line: string | undefined) => line?.split(" ")[0] ?? "";
  for (const line of lines) {
    const random = /-<(rs|pod)>$/.test(nameOf(line));
    if (!random || nameOf(line) !== nameOf(rows[0])) {
      sorted.push(...rows.sort());
      rows = [];
    }
    if (random) rows.push(line);
    else sorted.push(line);
  }
  return [...sorted, ...rows.sort()];
}
