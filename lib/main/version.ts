import { readFileSync } from "node:fs";
import { join } from "node:path";
import { REPOSITORY } from "./children.ts";

/** Berth's own version, from package.json. */
export const VERSION: string = String(
  Reflect.get(JSON.parse(readFileSync(join(REPOSITORY, "package.json"), "utf8")), "version") ?? "0.0.0",
);
