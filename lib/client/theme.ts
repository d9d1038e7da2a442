/** Light, dark, or as the system says; kept in this browser. */
export type Theme = "light" | "dark" | "system";

const KEY = "berth-theme";
const listeners = new Set<() => void>();

/** Runs before the first paint, so that no page flashes in the other theme. */
export const THEME_SCRIPT = `(function(){var t=null;try{t=localStorage.getItem("${KEY}")}catch(e){}
document.documentElement.classList.toggle("dark",t==="dark"||(t!=="light"&&matchMedia("(prefers-color-scheme: dark)").matches))})()`;

function read(): Theme {
  try {
    const value = localStorage.getItem(KEY);
    return value === "light" || value === "dark" ? value : "system";
  } catch {
    return "system";
  }
}

function paint(): void {
  const theme = read();
  const dark = theme === "dark" || (theme === "system" && matchMedia("(prefers-color-scheme: dark)").matches);
  document.documentElement.classList.toggle("dark", dark);
}

/** For `useSyncExternalStore`; follows the system and the other tabs while somebody looks. */
export const themeStore = {
  subscribe(listener: () => void): () => void {
    listeners.add(listener);
    const system = matchMedia("(prefers-color-scheme: dark)");
    const changed = () => {
      paint();
      listener();
    };
    system.addEventListener("change", changed);
    addEventListener("storage", changed);
    return () => {
      listeners.delete(listener);
      system.removeEventListener("change", changed);
      removeEventListener("storage", changed);
    };
  },
  snapshot: read,
  serverSnapshot: (): Theme => "system",
  set(theme: Theme): void {
    try {
      if (theme === "system") localStorage.removeItem(KEY);
      else localStorage.setItem(KEY, theme);
    } catch {
      // Storage may be forbidden; the choice then holds for this page only.
      document.documentElement.classList.toggle("dark", theme === "dark");
    }
    paint();
    for (const listener of listeners) listener();
  },
};
