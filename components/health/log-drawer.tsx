"use client";

import { useQuery } from "@tanstack/react-query";
import { useEffect, useRef } from "react";
import { logLine } from "#client/log-line";
import { logsQuery } from "#client/queries";
import { Failed, Loading } from "#components/states/states";
import { Copy } from "#components/ui/copy";
import { Drawer } from "#components/ui/dialog";

/** Ours as time, level and words; the raw lines are what Copy copies. */
function Lines({ text }: { readonly text: string }) {
  return (
    <pre>
      {text.split("\n").map((raw, index) => {
        const line = logLine(raw);
        const tone = line.level === "error" ? "failed" : line.level === "warn" ? "warning" : undefined;
        return (
          // biome-ignore lint/suspicious/noArrayIndexKey: lines of one text, shown as they stand
          <span key={index} className={tone}>
            {line.time === "" ? null : <span className="t3">{`${line.time} `}</span>}
            {line.level === null || line.level === "info" ? null : <b>{`${line.level} `}</b>}
            {`${line.text}\n`}
          </span>
        );
      })}
    </pre>
  );
}

/** The newest 200 lines of a pod's log, followed while the end is in view. */
export function LogDrawer({
  component,
  pod,
  onClose,
}: {
  readonly component: string;
  readonly pod: string;
  readonly onClose: () => void;
}) {
  const log = useQuery(logsQuery(component, pod));
  const box = useRef<HTMLElement>(null);
  const text = log.data?.lines.join("\n") ?? "";
  // biome-ignore lint/correctness/useExhaustiveDependencies: new lines are what makes it scroll
  useEffect(() => {
    const element = box.current;
    if (element === null) return;
    const near = element.scrollHeight - element.scrollTop - element.clientHeight < 80;
    if (near || element.scrollTop === 0) element.scrollTop = element.scrollHeight;
  }, [text]);
  return (
    <Drawer
      label={`Log of ${pod}`}
      onClose={onClose}
      title={
        <>
          <h2>{component}</h2>
          <span className="mono t3 xs">{pod}</span>
        </>
      }
    >
      <div className="part last log-part">
        {log.data === undefined ? (
          log.isError ? (
            <Failed what="the log" error={log.error} onRetry={() => log.refetch()} />
          ) : (
            <Loading rows={10} label="Loading the log" />
          )
        ) : log.data.lines.length === 0 ? (
          <p className="t3">The log is empty.</p>
        ) : (
          <>
            <div className="row">
              <span className="t3 xs">{`Last ${log.data.lines.length} lines, read every 2 s`}</span>
              <span className="push">
                <Copy text={text} label="Copy the log">
                  Copy
                </Copy>
              </span>
            </div>
            {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls must be reachable with the keyboard */}
            <section ref={box} className="log-box" tabIndex={0} aria-label={`Lines of ${pod}`}>
              <Lines text={text} />
            </section>
          </>
        )}
      </div>
    </Drawer>
  );
}
