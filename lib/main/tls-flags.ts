import { getCiphers } from "node:tls";
import { Fault } from "#core/errors";
import type { TlsSettings } from "#runtime/https-server";

/** Flags about TLS that controller and speaker share with upstream's (metallb.md 5.6). */
export const TLS_OPTIONS = {
  "tls-min-version": { type: "string" },
  "tls-cipher-suites": { type: "string" },
  "tls-curve-preferences": { type: "string" },
} as const;

export const TLS_HELP = `  --tls-min-version V          VersionTLS12 or VersionTLS13 (13)
  --tls-cipher-suites A,B      names as in Go; of TLS 1.2 only
  --tls-curve-preferences N,M  numbers as in Go: 23 24 25 29 4588`;

const VERSIONS: Readonly<Record<string, "TLSv1.2" | "TLSv1.3">> = { VersionTLS12: "TLSv1.2", VersionTLS13: "TLSv1.3" };

/** IANA numbers of groups (tls.CurveID in Go) in OpenSSL's names. */
const CURVES: Readonly<Record<string, string>> = {
  "23": "P-256",
  "24": "P-384",
  "25": "P-521",
  "29": "X25519",
  "4588": "X25519MLKEM768",
};

/** Throws Fault `invalid` naming the flag whose value cannot be used. */
export function tlsSettings(values: { readonly [name in keyof typeof TLS_OPTIONS]?: string | undefined }): TlsSettings {
  const wanted = values["tls-min-version"] ?? "VersionTLS13";
  const minVersion = VERSIONS[wanted];
  if (minVersion === undefined) {
    throw new Fault("invalid", `--tls-min-version ${wanted}: must be VersionTLS12 or VersionTLS13.`);
  }
  const suites = listOf(values["tls-cipher-suites"]).map(cipher);
  const curves = listOf(values["tls-curve-preferences"]).map(curve);
  return {
    minVersion,
    // Those of TLS 1.3 are not a matter of choice, as in Go.
    ...(suites.length > 0 && { ciphers: ["TLS_AES_128_GCM_SHA256", ...TLS13, ...suites].join(":") }),
    ...(curves.length > 0 && { curves: curves.join(":") }),
  };
}

const TLS13 = ["TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256"];

function listOf(text: string | undefined): readonly string[] {
  return (text ?? "")
    .split(",")
    .map((part) => part.trim())
    .filter((part) => part !== "");
}

function curve(number: string): string {
  const name = CURVES[number];
  if (name !== undefined) return name;
  throw new Fault("invalid", `--tls-curve-preferences ${number}: must be among ${Object.keys(CURVES).join(", ")}.`);
}

/** TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256 is ECDHE-RSA-AES128-GCM-SHA256 to OpenSSL. */
function cipher(name: string): string {
  if (TLS13.includes(name) || name === "TLS_AES_128_GCM_SHA256") return name;
  const text = name
    .replace(/^TLS_/, "")
    .replace("_WITH_", "_")
    .replace(/^RSA_/, "")
    .replace(/AES_(128|256)/, "AES$1")
    .replace(/_CBC(?=_)/, "")
    .replace("CHACHA20_POLY1305_SHA256", "CHACHA20_POLY1305")
    .replaceAll("_", "-");
  if (getCiphers().includes(text.toLowerCase())) return text;
  throw new Fault("invalid", `--tls-cipher-suites ${name}: is not a cipher suite that can be used here.`);
}
