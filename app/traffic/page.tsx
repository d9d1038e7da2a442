import type { Metadata } from "next";
import { TrafficScreen } from "#components/traffic/traffic-screen";

export const metadata: Metadata = { title: "Traffic" };

export default function Page() {
  return <TrafficScreen />;
}
