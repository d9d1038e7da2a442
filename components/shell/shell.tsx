"use client";

import Link from "next/link";
import { type ReactNode, useEffect, useState } from "react";
import { useSession } from "#client/queries";
import { CommandBox } from "#components/shell/command";
import { LiveIndicator, useIsGrey, useLive } from "#components/shell/live-indicator";
import { Rail, TabBar } from "#components/shell/nav";
import { ThemeSwitch } from "#components/shell/theme-switch";
import { Partial } from "#components/states/states";
import { Glyph, Icon, Mark } from "#components/ui/icon";

/** Rail, top bar and one sheet; the page is the sheet's content. */
export function Shell({ children }: { readonly children: ReactNode }) {
  const [finding, setFinding] = useState(false);
  useEffect(() => {
    const open = (event: KeyboardEvent) => {
      if (event.key.toLowerCase() !== "k" || !(event.ctrlKey || event.metaKey)) return;
      event.preventDefault();
      setFinding(true);
    };
    addEventListener("keydown", open);
    return () => removeEventListener("keydown", open);
  }, []);
  return (
    <>
      <div className="app">
        <Rail />
        <div className="sheet">
          <header className="bar">
            <Link className="mark" href="/" aria-label="Berth, overview">
              <Mark />
            </Link>
            <button className="cmd" type="button" aria-keyshortcuts="Control+K" onClick={() => setFinding(true)}>
              <Icon name="search" />
              <span>Find an address, Service or page</span>
              <kbd>Ctrl K</kbd>
            </button>
            <div className="end">
              <LiveIndicator />
              <ThemeSwitch />
              <Identity />
            </div>
          </header>
          <Sheet>{children}</Sheet>
        </div>
      </div>
      <TabBar />
      {finding ? <CommandBox onClose={() => setFinding(false)} /> : null}
    </>
  );
}

function Sheet({ children }: { readonly children: ReactNode }) {
  const grey = useIsGrey();
  const session = useSession();
  const { dropped } = useLive();
  return (
    <main id="main" tabIndex={-1} className={grey ? "grey" : undefined}>
      {session !== undefined && !session.connected ? (
        <p className="notice failed" role="alert">
          <Glyph name="failed" />
          {session.problem ?? "The cluster cannot be reached; what is shown may be old."}
        </p>
      ) : null}
      {session === undefined ? null : <Partial missing={session.forbidden} />}
      {dropped === 0 ? null : (
        <p className="notice" role="status">
          <Glyph name="unknown" />
          {`${dropped} ${dropped === 1 ? "object" : "objects"} could not be read and ${dropped === 1 ? "is" : "are"} not shown. Reload when Berth was updated.`}
        </p>
      )}
      {children}
    </main>
  );
}

function Identity() {
  const session = useSession();
  const user = session?.user ?? "";
  const short = user === "" ? "?" : user.replace(/^.*[:/]/, "").slice(0, 2);
  return (
    <button
      className="who"
      type="button"
      popoverTarget="cluster-facts"
      aria-label={`${short}: signed in as ${user === "" ? "nobody yet" : user}`}
      title={user}
    >
      {short}
    </button>
  );
}
