"use client";

import { useSyncExternalStore } from "react";
import { type Theme, themeStore } from "#client/theme";
import { Icon, type IconName } from "#components/ui/icon";

const NEXT: Record<Theme, Theme> = { system: "light", light: "dark", dark: "system" };
const ICON: Record<Theme, IconName> = { system: "theme", light: "sun", dark: "moon" };

/** Light, dark, or as the system says, in turn. */
export function ThemeSwitch() {
  const theme = useSyncExternalStore(themeStore.subscribe, themeStore.snapshot, themeStore.serverSnapshot);
  const label = `Theme: ${theme}. Switch to ${NEXT[theme]}`;
  return (
    <button
      className="icb theme"
      type="button"
      aria-label={label}
      title={label}
      onClick={() => themeStore.set(NEXT[theme])}
    >
      <Icon name={ICON[theme]} />
    </button>
  );
}
