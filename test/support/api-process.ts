/** The sandbox's API server as a process of its own, for `startSandboxApi`: answers one message with one. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startTestApi } from "./api-server.ts";
import type { Question } from "./kubernetes-api.ts";
import { countWrites } from "./request-count.ts";

const dir = mkdtempSync(join(tmpdir(), "berth-api-store-"));
const api = await startTestApi({ path: join(dir, "store.db") });
const { writes } = countWrites();

const end = () => {
  rmSync(dir, { recursive: true, force: true });
  rmSync(api.dir, { recursive: true, force: true });
  process.exit(0);
};
process.on("disconnect", end);
process.on("SIGTERM", end);
process.on("message", (question: Question) => {
  if (question.kind === "start") {
    process.send?.({ url: api.server.url, ca: api.ca });
    return;
  }
  const named = ({ path }: { readonly path: string }) =>
    path.split("/").some((part) => question.resources.includes(part));
  process.send?.(writes.filter(named).length);
});
