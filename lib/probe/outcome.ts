import type { Outcome } from "#api/dashboard/probes";

/** How a request ended. */
interface Ending {
  readonly outcome: Outcome;
  /** In words, for people. */
  readonly text: string;
}

const BY_CODE: Readonly<Record<string, Ending>> = {
  ECONNREFUSED: { outcome: "refused", text: "connection refused" },
  ECONNRESET: { outcome: "reset", text: "connection reset" },
  EPIPE: { outcome: "reset", text: "connection reset" },
  ECONNABORTED: { outcome: "reset", text: "connection aborted" },
  ETIMEDOUT: { outcome: "timeout", text: "connection timed out" },
  EHOSTUNREACH: { outcome: "unreachable", text: "no route to host" },
  EHOSTDOWN: { outcome: "unreachable", text: "host is down" },
  ENETUNREACH: { outcome: "unreachable", text: "network is unreachable" },
  EADDRNOTAVAIL: { outcome: "unreachable", text: "no local address or port is free" },
  EMFILE: { outcome: "unreachable", text: "this machine has no file descriptor left" },
  ENOTFOUND: { outcome: "unreachable", text: "the name cannot be resolved" },
  EAI_AGAIN: { outcome: "unreachable", text: "the name cannot be resolved now" },
};

/** Classifies the error of a request by its code. What has no known code is `unreachable`, with the system's words. */
export function endingOfError(error: unknown): Ending {
  const code = typeof error === "object" && error !== null && "code" in error ? String(error.code) : "";
  const known = BY_CODE[code];
  if (known !== undefined) return known;
  // llhttp's own codes: what came back is not HTTP.
  if (code.startsWith("HPE_")) return { outcome: "bad_reply", text: "the reply is not HTTP" };
  return { outcome: "unreachable", text: code === "" ? "the request failed" : `the request failed (${code})` };
}

/** 4xx and 5xx are failures of their own; everything else that is HTTP counts as answered (redirects are not followed). */
export function outcomeOfStatus(status: number): Outcome {
  if (status >= 500) return "http_5xx";
  return status >= 400 ? "http_4xx" : "ok";
}

/** Outcomes that a person would call "it was down": somebody who answers wrongly is there. */
export function isOutage(outcome: Outcome): boolean {
  return outcome !== "ok" && outcome !== "http_4xx" && outcome !== "bad_reply";
}
