import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe } from "vitest";
import { type ApiClient, apiClient, startTestApi } from "./api-server.ts";
import { kubebuilderAssets, startRealApi } from "./kubernetes-api.ts";

/**
 * Runs the same tests on the sandbox's API server and, when KUBEBUILDER_ASSETS names one, on a real one, of which a test
 * knows only what a client does: both must agree.
 */
export function onBothApis(define: (start: () => Promise<ApiClient>) => void): void {
  const assets = kubebuilderAssets();
  describe("the sandbox's API server", () => define(startTestApi));
  describe.skipIf(assets === null)("a real API server (needs KUBEBUILDER_ASSETS)", () =>
    define(() => startReal(assets ?? "")),
  );
}

async function startReal(folder: string): Promise<ApiClient> {
  const real = await startRealApi(folder);
  const client = apiClient(real.url, real.ca, mkdtempSync(join(tmpdir(), "berth-api-")));
  return {
    ...client,
    async close() {
      await client.close();
      await real.close();
    },
  };
}
