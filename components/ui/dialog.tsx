"use client";

import { type ReactNode, useEffect, useId, useRef } from "react";
import { Icon } from "#components/ui/icon";

/** A modal native dialog. Escape and a click beside it close it; the page behind is inert meanwhile. */
export function Dialog({
  title,
  children,
  onClose,
  wide = false,
}: {
  readonly title: ReactNode;
  readonly children: ReactNode;
  readonly onClose: () => void;
  readonly wide?: boolean;
}) {
  const ref = useRef<HTMLDialogElement>(null);
  const id = useId();
  useEffect(() => {
    const dialog = ref.current;
    if (dialog === null || dialog.open) return;
    dialog.showModal();
    // The browser would focus Close, which stands first; a form begins at its first input.
    dialog.querySelector<HTMLElement>("form input, form textarea, form select")?.focus();
  }, []);
  return (
    <dialog
      ref={ref}
      className={wide ? "dialog wide" : "dialog"}
      aria-labelledby={id}
      onClose={onClose}
      onPointerDown={(event) => {
        if (event.target === ref.current) ref.current?.close();
      }}
    >
      <div className="dialog-in">
        <header>
          <h2 id={id}>{title}</h2>
          <button className="icb" type="button" aria-label="Close" onClick={() => ref.current?.close()}>
            <Icon name="x" />
          </button>
        </header>
        {children}
      </div>
    </dialog>
  );
}

/** A panel at the right edge beside the page, which stays usable. Escape closes it; on a phone it is a sheet. */
export function Drawer({
  title,
  children,
  onClose,
  label,
}: {
  readonly title: ReactNode;
  readonly label: string;
  readonly children: ReactNode;
  readonly onClose: () => void;
}) {
  const ref = useRef<HTMLElement>(null);
  useEffect(() => {
    const before = document.activeElement;
    ref.current?.focus({ preventScroll: true });
    return () => {
      if (before instanceof HTMLElement && before.isConnected) before.focus({ preventScroll: true });
    };
  }, []);
  useEffect(() => {
    const close = (event: KeyboardEvent) => {
      if (event.key === "Escape" && document.querySelector("dialog[open]") === null) onClose();
    };
    addEventListener("keydown", close);
    return () => removeEventListener("keydown", close);
  }, [onClose]);
  return (
    <aside ref={ref} className="drawer" aria-label={label} tabIndex={-1}>
      <header>
        {title}
        <button className="icb" type="button" aria-label="Close the panel" onClick={onClose}>
          <Icon name="x" />
        </button>
      </header>
      {children}
    </aside>
  );
}
