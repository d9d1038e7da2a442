import type { Metadata } from "next";
import { PoolsScreen } from "#components/pools/pools-screen";

export const metadata: Metadata = { title: "Pools" };

export default function Page() {
  return <PoolsScreen />;
}
