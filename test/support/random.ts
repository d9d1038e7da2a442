import fc from "fast-check";

const { BERTH_SEED } = process.env;

/**
 * The same values in every run, so that a change is judged by what it changes and not by luck. `BERTH_SEED=random` looks
 * for more, and a failure then names its seed, which `BERTH_SEED` takes.
 */
fc.configureGlobal({ seed: BERTH_SEED === "random" ? Date.now() | 0 : Number(BERTH_SEED ?? 20_261_123) });

export { fc };
