"use client";

import { useSearchParams } from "next/navigation";
import { useCallback } from "react";

/**
 * State that belongs in the address bar: what is selected, so that it can be
 * linked to and Back works. Changing it does not ask the server for the page.
 */
export function useParams(): {
  readonly get: (name: string) => string | null;
  readonly set: (changes: Readonly<Record<string, string | null>>, how?: "push" | "replace") => void;
} {
  const params = useSearchParams();
  const get = useCallback((name: string) => params.get(name), [params]);
  const set = useCallback((changes: Readonly<Record<string, string | null>>, how: "push" | "replace" = "replace") => {
    const next = new URLSearchParams(location.search);
    for (const [name, value] of Object.entries(changes)) {
      if (value === null || value === "") next.delete(name);
      else next.set(name, value);
    }
    const query = next.toString().replaceAll("%2F", "/");
    const url = query === "" ? location.pathname : `${location.pathname}?${query}`;
    if (how === "push") history.pushState(null, "", url);
    else history.replaceState(null, "", url);
  }, []);
  return { get, set };
}
