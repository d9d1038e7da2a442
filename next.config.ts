import type { NextConfig } from "next";

if (Number(process.versions.node.split(".")[0]) < 24) {
  throw new Error("Berth needs Node 24: run it through its npm scripts, which bring their own.");
}

/** Headers of every reply; the content security policy, which carries a nonce, is set in proxy.ts. */
const SECURITY_HEADERS = [
  { key: "x-content-type-options", value: "nosniff" },
  { key: "x-frame-options", value: "DENY" },
  { key: "referrer-policy", value: "no-referrer" },
  { key: "cross-origin-opener-policy", value: "same-origin" },
  { key: "cross-origin-resource-policy", value: "same-origin" },
  { key: "permissions-policy", value: "camera=(), microphone=(), geolocation=(), payment=(), usb=()" },
];

const config: NextConfig = {
  poweredByHeader: false,
  reactStrictMode: true,
  devIndicators: false,
  agentRules: false,
  // `npm run check` is the gate for types; a start must not fail over, or wait for, the types of a test.
  typescript: { ignoreBuildErrors: true },
  turbopack: { root: import.meta.dirname },
  headers: async () => [{ source: "/:path*", headers: SECURITY_HEADERS }],
};

export default config;
