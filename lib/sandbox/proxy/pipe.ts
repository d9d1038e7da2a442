import type { Socket } from "node:net";

/** How long a client that got no answer may hold on before we let go of its socket. */
export const SILENCE_MS = 120_000;
const LINGER_MS = 10_000;

/**
 * Copies both ways with back-pressure; each end of stream is passed on by
 * itself (half-close), and a reset of one side resets the other. Returns a
 * function that cuts the pair silently: the backend is dropped and the client
 * hears nothing more, as when the machine between them loses power.
 */
export function pipeBoth(client: Socket, backend: Socket): () => void {
  client.pipe(backend);
  backend.pipe(client);
  const clientGone = () => {
    // What an orderly client sent last may still be on its way to the backend.
    if (!backend.writableEnded) return void backend.destroy();
    backend.setTimeout(LINGER_MS, () => backend.destroy());
    backend.resume();
  };
  const clientFailed = () => void backend.resetAndDestroy();
  const backendFailed = () => void client.resetAndDestroy();
  const backendClosed = () => {
    // After an orderly end the client may still be draining what was written.
    if (!client.writableEnded) client.destroy();
  };
  client.on("error", clientFailed);
  client.on("close", clientGone);
  backend.on("error", backendFailed);
  backend.on("close", backendClosed);
  return () => {
    client.off("close", clientGone);
    backend.off("error", backendFailed);
    backend.off("close", backendClosed);
    backend.on("error", () => undefined);
    client.unpipe(backend);
    backend.unpipe(client);
    backend.destroy();
  };
}
