"use client";

import { useQuery } from "@tanstack/react-query";
import { yamlQuery } from "#client/queries";
import { Failed, Loading } from "#components/states/states";
import { Copy } from "#components/ui/copy";

/** The object as the cluster has it. `url` is its API route. */
export function Yaml({
  url,
  version,
  label,
}: {
  readonly url: string;
  readonly version: string;
  readonly label: string;
}) {
  const yaml = useQuery(yamlQuery(url, version));
  if (yaml.isPending) return <Loading rows={8} label={`Loading the YAML of ${label}`} />;
  if (yaml.data === undefined)
    return <Failed what={`the YAML of ${label}`} error={yaml.error} onRetry={() => yaml.refetch()} />;
  return (
    <div className="yaml">
      <Copy text={yaml.data} label={`Copy the YAML of ${label}`}>
        Copy
      </Copy>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls must be reachable with the keyboard */}
      <section className="scroller" tabIndex={0} aria-label={`YAML of ${label}`}>
        <pre>{yaml.data}</pre>
      </section>
    </div>
  );
}
