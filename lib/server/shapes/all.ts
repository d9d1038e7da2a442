import { ADVERTISEMENT_SHAPES } from "./advertisements.ts";
import { COMPONENT_SHAPES } from "./components.ts";
import { HEALTH_SHAPES } from "./health.ts";
import { HOLD_SHAPES } from "./holds.ts";
import { NODE_SHAPES } from "./nodes.ts";
import { POOL_SHAPES } from "./pools.ts";
import { PROBE_SHAPES } from "./probes.ts";
import { SERVICE_SHAPES } from "./services.ts";
import { SESSION_SHAPES } from "./session.ts";

/** Every JSON route, by "METHOD /path". */
export const SHAPES = {
  ...SESSION_SHAPES,
  ...POOL_SHAPES,
  ...ADVERTISEMENT_SHAPES,
  ...HOLD_SHAPES,
  ...SERVICE_SHAPES,
  ...NODE_SHAPES,
  ...COMPONENT_SHAPES,
  ...PROBE_SHAPES,
  ...HEALTH_SHAPES,
};
