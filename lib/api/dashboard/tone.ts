import { z } from "zod";

/** One vocabulary for every status chip (visual.md section 2). */
export const Tone = z.enum(["ready", "pending", "warning", "failed", "unknown"]);
export type Tone = z.infer<typeof Tone>;
