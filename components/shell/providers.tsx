"use client";

import { QueryClientProvider } from "@tanstack/react-query";
import { type ReactNode, useEffect, useState } from "react";
import { startLive } from "#client/live";
import { createQueryClient } from "#client/query-client";

/** The caches of this tab and the stream that feeds them. */
export function Providers({ children }: { readonly children: ReactNode }) {
  const [client] = useState(createQueryClient);
  useEffect(() => startLive(client), [client]);
  return <QueryClientProvider client={client}>{children}</QueryClientProvider>;
}
