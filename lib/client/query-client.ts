import { QueryClient } from "@tanstack/react-query";
import { ApiProblem } from "#client/problem";

const RETRIES = 2;

/** Retries what may pass (no answer, 5xx), never what the server refused. */
export function shouldRetry(failures: number, error: unknown): boolean {
  const { status } = ApiProblem.from(error);
  return failures < RETRIES && (status === 0 || status >= 500);
}

export function createQueryClient(): QueryClient {
  return new QueryClient({
    defaultOptions: {
      queries: { retry: shouldRetry, refetchOnWindowFocus: false, retryDelay: (n) => Math.min(1000 * 2 ** n, 4000) },
      mutations: { retry: false },
    },
  });
}
