"use client";

import { useState } from "react";
import { Icon } from "#components/ui/icon";

/** Copies text and says so in its own label for two seconds. */
export function Copy({
  text,
  label,
  children,
}: {
  readonly text: string;
  readonly label: string;
  readonly children?: string;
}) {
  const [copied, setCopied] = useState<"no" | "yes" | "refused">("no");
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(text);
      setCopied("yes");
    } catch {
      setCopied("refused");
    }
    setTimeout(() => setCopied("no"), 2000);
  };
  const said = copied === "yes" ? "Copied" : copied === "refused" ? "The browser refused to copy" : label;
  return (
    <button
      className={children === undefined ? "icb s" : "btn s"}
      type="button"
      aria-label={children === undefined ? said : undefined}
      title={said}
      onClick={() => void copy()}
    >
      <Icon name={copied === "yes" ? "check" : "copy"} />
      {children === undefined ? null : copied === "yes" ? "Copied" : children}
    </button>
  );
}
