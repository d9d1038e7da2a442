"use client";

import Link from "next/link";
import { usePathname } from "next/navigation";
import { needs } from "#client/attention";
import { count } from "#client/format";
import { useRows } from "#client/queries";
import { Glyph, Icon, type IconName, Mark } from "#components/ui/icon";

const PAGES: readonly { readonly href: string; readonly label: string; readonly icon: IconName }[] = [
  { href: "/", label: "Overview", icon: "overview" },
  { href: "/services", label: "Services", icon: "services" },
  { href: "/pools", label: "Pools", icon: "pools" },
  { href: "/traffic", label: "Traffic", icon: "traffic" },
  { href: "/health", label: "Health", icon: "health" },
];

function isCurrent(pathname: string, href: string): boolean {
  return href === "/" ? pathname === "/" : pathname === href || pathname.startsWith(`${href}/`);
}

function useCounts(): Record<string, { readonly text: string; readonly bad?: string } | undefined> {
  const services = useRows("services").data;
  const pools = useRows("pools").data;
  const probes = useRows("probes").data;
  const components = useRows("components").data;
  const running = probes?.filter((probe) => probe.state === "running").length ?? 0;
  const balancers = services?.filter((row) => row.type === "LoadBalancer" && row.status !== "not_ours").length;
  const down = components?.filter((row) => needs.componentDown(row)).length ?? 0;
  return {
    "/services": balancers === undefined ? undefined : { text: count(balancers) },
    "/pools": pools === undefined ? undefined : { text: String(pools.length) },
    "/traffic": running === 0 ? undefined : { text: `${running} live` },
    "/health":
      down === 0
        ? undefined
        : { text: String(down), bad: down === 1 ? " component needs you" : " components need you" },
  };
}

export function Rail() {
  const pathname = usePathname();
  const counts = useCounts();
  return (
    <nav className="rail" aria-label="Main">
      <Link className="brand" href="/">
        <Mark />
        <span className="l">Berth</span>
      </Link>
      <ClusterBox />
      {PAGES.map((page) => {
        const count = counts[page.href];
        return (
          <Link
            key={page.href}
            href={page.href}
            aria-current={isCurrent(pathname, page.href) ? "page" : undefined}
            title={page.label}
          >
            <Icon name={page.icon} />
            <span className="l">{page.label}</span>
            {count === undefined ? null : count.bad === undefined ? (
              <span className="count">{count.text}</span>
            ) : (
              <span className="count bad">
                <Glyph name="failed" />
                {count.text}
                <span className="vh">{count.bad}</span>
              </span>
            )}
          </Link>
        );
      })}
      <SandboxNote />
    </nav>
  );
}

function ClusterBox() {
  const session = useRows("session").data?.[0];
  const nodes = useRows("nodes").data;
  const size = nodes === undefined ? "nodes not reported" : `${nodes.length} ${nodes.length === 1 ? "node" : "nodes"}`;
  return (
    <>
      <button className="cluster" type="button" popoverTarget="cluster-facts">
        <b>{session?.cluster ?? "Connecting"}</b>
        <small>
          {session === undefined ? "waiting for the server" : `${size} · ${session.version ?? "version not reported"}`}
        </small>
        <Icon name="updn" />
      </button>
      <div className="facts" id="cluster-facts" popover="auto">
        <h2>This cluster</h2>
        <dl className="kv">
          <dt>Name</dt>
          <dd>{session?.cluster ?? "not reported"}</dd>
          <dt>API server</dt>
          <dd className="mono">{session?.server ?? "not reported"}</dd>
          <dt>Version</dt>
          <dd>{session?.version ?? "not reported"}</dd>
          <dt>Signed in as</dt>
          <dd>{session?.user ?? "not reported"}</dd>
          <dt>Berth lives in</dt>
          <dd className="mono">{session?.namespace ?? "not reported"}</dd>
        </dl>
      </div>
    </>
  );
}

function SandboxNote() {
  const session = useRows("session").data?.[0];
  if (session?.sandbox !== true) return <div className="foot" />;
  return (
    <div className="foot">
      <p className="sand">
        <b>Sandbox.</b> A trial cluster on this machine, addresses on loopback. Not for production.
      </p>
    </div>
  );
}

/** The same pages at the foot of a small screen. */
export function TabBar() {
  const pathname = usePathname();
  return (
    <nav className="tabbar" aria-label="Main, small screen">
      {PAGES.map((page) => (
        <Link key={page.href} href={page.href} aria-current={isCurrent(pathname, page.href) ? "page" : undefined}>
          <Icon name={page.icon} />
          {page.label}
        </Link>
      ))}
    </nav>
  );
}
