/**
 * Requests a URL on a new connection every few milliseconds until its stdin
 * closes, then prints every answer as JSON: `node requests.ts URL EVERY_MS`.
 */
import { hammer } from "../../support/hammer.ts";

const load = hammer(process.argv[2] ?? "", Number(process.argv[3] ?? 10));
process.stdin.resume();
process.stdin.on("end", async () => {
  console.log(JSON.stringify(await load.stop()));
  process.exit(0);
});
