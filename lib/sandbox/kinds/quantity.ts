const SUFFIXES: Readonly<Record<string, number>> = {
  n: 1e-9,
  u: 1e-6,
  m: 1e-3,
  "": 1,
  k: 1e3,
  M: 1e6,
  G: 1e9,
  T: 1e12,
  P: 1e15,
  E: 1e18,
  Ki: 2 ** 10,
  Mi: 2 ** 20,
  Gi: 2 ** 30,
  Ti: 2 ** 40,
  Pi: 2 ** 50,
  Ei: 2 ** 60,
};

/** The number that a Kubernetes quantity ("500m", "64Mi", "1e3") stands for; undefined when it is none. */
export function quantityValue(text: string): number | undefined {
  const found = /^([+-]?(?:\d+\.?\d*|\.\d+))(?:([eE][+-]?\d+)|([numkMGTPE]i?|[KMGTPE]i)?)$/.exec(text);
  if (found === null) return undefined;
  const [, number = "", exponent = "", suffix = ""] = found;
  const scale = SUFFIXES[suffix];
  return scale === undefined ? undefined : Number(`${number}${exponent}`) * scale;
}
