import type { Metadata } from "next";
import { ServicesScreen } from "#components/services/services-screen";

export const metadata: Metadata = { title: "Services" };

export default function Page() {
  return <ServicesScreen />;
}
