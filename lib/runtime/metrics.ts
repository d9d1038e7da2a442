import { Fault } from "#core/errors";

/** Label names to values; values come from small, closed sets or from objects that end (`remove`). */
type Labels = Readonly<Record<string, string>>;

interface Series {
  readonly labels: Labels;
  value: number;
}

interface Family {
  readonly name: string;
  readonly help: string;
  readonly type: "counter" | "gauge" | "histogram";
  render(lines: string[]): void;
}

/** Only goes up. */
export interface Counter {
  inc(labels?: Labels, by?: number): void;
  value(labels?: Labels): number;
  /** Ends one series: it is no longer rendered. */
  remove(labels: Labels): void;
}

/** Goes up and down. */
export interface Gauge {
  set(labels: Labels, value: number): void;
  value(labels?: Labels): number;
  remove(labels: Labels): void;
  /** Ends every series: for gauges that are written anew as a whole. */
  clear(): void;
}

/** Counts observations by size. */
interface Histogram {
  observe(labels: Labels, value: number): void;
  remove(labels: Labels): void;
}

/** Seconds, from a millisecond to ten seconds. */
const DEFAULT_BUCKETS: readonly number[] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

/**
 * The numbers of one process in the Prometheus text format 0.0.4. Asking twice
 * for a name gives the same metric; asking for it as another type is a bug and
 * throws. Families appear in the order they were made, series in the order of
 * their first use.
 */
export class Metrics {
  readonly #families = new Map<string, Family>();
  readonly #collectors = new Set<() => void>();

  /** `collect` runs before every `render`, to set what is cheaper to ask for than to follow. Returns what ends that. */
  onRender(collect: () => void): () => void {
    this.#collectors.add(collect);
    return () => void this.#collectors.delete(collect);
  }

  counter(name: string, help: string): Counter {
    return this.#family(name, "counter", () => new SimpleFamily(name, help, "counter"));
  }

  gauge(name: string, help: string): Gauge {
    return this.#family(name, "gauge", () => new SimpleFamily(name, help, "gauge"));
  }

  histogram(name: string, help: string, buckets: readonly number[] = DEFAULT_BUCKETS): Histogram {
    return this.#family(name, "histogram", () => new HistogramFamily(name, help, buckets));
  }

  render(): string {
    for (const collect of this.#collectors) collect();
    const lines: string[] = [];
    for (const family of this.#families.values()) {
      lines.push(`# HELP ${family.name} ${escapeHelp(family.help)}`, `# TYPE ${family.name} ${family.type}`);
      family.render(lines);
    }
    return `${lines.join("\n")}\n`;
  }

  #family<F extends Family>(name: string, type: Family["type"], make: () => F): F {
    const known = this.#families.get(name);
    if (known === undefined) {
      const made = make();
      this.#families.set(name, made);
      return made;
    }
    if (known.type !== type) throw new Fault("internal", `metric ${name} is a ${known.type}, not a ${type}`);
    return known as F;
  }
}

class SimpleFamily implements Family, Counter, Gauge {
  readonly name: string;
  readonly help: string;
  readonly type: "counter" | "gauge";
  readonly #series = new Map<string, Series>();

  constructor(name: string, help: string, type: "counter" | "gauge") {
    this.name = name;
    this.help = help;
    this.type = type;
  }

  inc(labels: Labels = {}, by = 1): void {
    this.#at(labels).value += by;
  }

  set(labels: Labels, value: number): void {
    this.#at(labels).value = value;
  }

  value(labels: Labels = {}): number {
    return this.#series.get(renderLabels(labels))?.value ?? 0;
  }

  remove(labels: Labels): void {
    this.#series.delete(renderLabels(labels));
  }

  clear(): void {
    this.#series.clear();
  }

  render(lines: string[]): void {
    for (const [labels, { value }] of this.#series) lines.push(`${this.name}${labels} ${renderNumber(value)}`);
  }

  #at(labels: Labels): Series {
    const key = renderLabels(labels);
    const known = this.#series.get(key);
    if (known !== undefined) return known;
    const series = { labels, value: 0 };
    this.#series.set(key, series);
    return series;
  }
}

class HistogramFamily implements Family, Histogram {
  readonly name: string;
  readonly help: string;
  readonly type = "histogram";
  readonly #buckets: readonly number[];
  readonly #series = new Map<
    string,
    { readonly labels: Labels; readonly counts: number[]; sum: number; count: number }
  >();

  constructor(name: string, help: string, buckets: readonly number[]) {
    this.name = name;
    this.help = help;
    this.#buckets = buckets;
  }

  observe(labels: Labels, value: number): void {
    const key = renderLabels(labels);
    const series = this.#series.get(key) ?? { labels, counts: this.#buckets.map(() => 0), sum: 0, count: 0 };
    this.#series.set(key, series);
    series.sum += value;
    series.count += 1;
    // In the smallest that holds it; the larger ones count it when they are shown.
    const index = this.#buckets.findIndex((bound) => value <= bound);
    if (index >= 0) series.counts[index] = (series.counts[index] ?? 0) + 1;
  }

  remove(labels: Labels): void {
    this.#series.delete(renderLabels(labels));
  }

  render(lines: string[]): void {
    for (const [own, { labels, counts, sum, count }] of this.#series) {
      let upTo = 0;
      this.#buckets.forEach((bound, index) => {
        upTo += counts[index] ?? 0;
        lines.push(`${this.name}_bucket${renderLabels({ ...labels, le: renderNumber(bound) })} ${upTo}`);
      });
      lines.push(`${this.name}_bucket${renderLabels({ ...labels, le: "+Inf" })} ${count}`);
      lines.push(`${this.name}_sum${own} ${renderNumber(sum)}`, `${this.name}_count${own} ${count}`);
    }
  }
}

function renderLabels(labels: Labels): string {
  const names = Object.keys(labels);
  if (names.length === 0) return "";
  return `{${names.map((name) => `${name}="${escapeLabel(labels[name] ?? "")}"`).join(",")}}`;
}

function escapeLabel(text: string): string {
  return text.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n");
}

function escapeHelp(text: string): string {
  return text.replaceAll("\\", "\\\\").replaceAll("\n", "\\n");
}

function renderNumber(value: number): string {
  if (value === Number.POSITIVE_INFINITY) return "+Inf";
  if (value === Number.NEGATIVE_INFINITY) return "-Inf";
  return Number.isNaN(value) ? "NaN" : String(value);
}
