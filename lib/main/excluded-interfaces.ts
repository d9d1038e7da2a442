import type { Clock } from "#runtime/clock";
import type { Log } from "#runtime/log";

/** How often the list is looked at: a ConfigMap that is mounted changes under a running process. */
const LOOK_EVERY_MS = 2000;

/** The default of upstream's ConfigMap metallb-excludel2 (metallb.md 1.8): container networks, and loopback. */
const DEFAULT: readonly string[] = [
  "^docker.*",
  "^cbr.*",
  "^dummy.*",
  "^virbr.*",
  "^lxcbr.*",
  "^veth.*",
  "^lo$",
  "^cali.*",
  "^tunl.*",
  "^flannel.*",
  "^kube-ipvs.*",
  "^cni.*",
  "^nodelocaldns.*",
  "^lxc.*",
];

const KEY = "announcedInterfacesToExclude";

/**
 * The interfaces that are left alone, as regular expressions on their names:
 * those of `excludel2.yaml`, or the default where there is no such file (null).
 * A list that cannot be read leaves the default in force and an entry that is
 * no regular expression is left out; both are logged as errors, neither throws.
 */
export async function excludedInterfaces(text: string | null, log: Log): Promise<readonly RegExp[]> {
  const complain = (problem: string) =>
    log.error("metallb-excludel2 has something that cannot be used", { field: KEY, problem });
  if (text === null) return compile(DEFAULT, complain);
  try {
    // Few clusters have the file, and the parser is not small.
    const { parse } = await import("yaml");
    const list: unknown = (parse(text) as { readonly [KEY]?: unknown } | null)?.[KEY];
    if (Array.isArray(list) && list.every((entry) => typeof entry === "string")) return compile(list, complain);
    complain("it must be a list of regular expressions; the default is used");
  } catch (error) {
    complain(`${error instanceof Error ? error.message : String(error)}; the default is used`);
  }
  return compile(DEFAULT, complain);
}

/** Calls back with the new list whenever the text is another one than before, at first than `first`. Returns what ends it. */
export function followExcluded(
  read: () => string | null,
  first: string | null,
  deps: {
    readonly clock: Clock;
    readonly log: Log;
    readonly onChange: (excluded: readonly RegExp[]) => void;
  },
): () => void {
  let last = first;
  let over = false;
  let cancel: () => void = () => undefined;
  const look = async () => {
    const text = read();
    if (text !== last) {
      last = text;
      const excluded = await excludedInterfaces(text, deps.log);
      if (over) return;
      deps.log.info("metallb-excludel2 has changed", { interfaces: excluded.map(({ source }) => source) });
      deps.onChange(excluded);
    }
    later();
  };
  const later = () => {
    cancel = deps.clock.schedule(LOOK_EVERY_MS, () => void look());
  };
  later();
  return () => {
    over = true;
    cancel();
  };
}

function compile(sources: readonly string[], complain: (problem: string) => void): readonly RegExp[] {
  return sources.flatMap((source) => {
    try {
      return [new RegExp(source)];
    } catch {
      complain(`${JSON.stringify(source)} is not a regular expression and is left out`);
      return [];
    }
  });
}
