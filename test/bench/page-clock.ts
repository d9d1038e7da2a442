/** When a page shows what it is waited for, by the page's own clock: everything here that takes a page runs inside it. */
import type { Page } from "playwright-core";

/** What of the page is looked at after every change of it; true ends the wait. Runs in the page. */
type Shows = (wanted: string) => boolean;

declare global {
  interface Window {
    berthWatch?: { readonly done: Promise<number>; inputAt: number };
  }
}

/**
 * From now on the page watches for `shows(wanted)`. `painted` then says when the frame that shows it was drawn and when
 * the last key or click before it came, both in ms since the epoch by the page's clock.
 */
export async function watch(page: Page, shows: Shows, wanted: string): Promise<void> {
  await page.evaluate(
    ({ text, looked }) => {
      const test = new Function("wanted", `return (${text})(wanted)`) as Shows;
      const watched = { done: Promise.resolve(0), inputAt: 0 };
      const input = (event: Event) => {
        watched.inputAt = performance.timeOrigin + event.timeStamp;
      };
      for (const kind of ["keydown", "pointerdown"]) addEventListener(kind, input, { capture: true, once: true });
      watched.done = new Promise<number>((resolve) => {
        const look = () => {
          if (!test(looked)) return;
          observer.disconnect();
          // What follows the callbacks of a frame runs once it was handed over to be shown.
          requestAnimationFrame(() => {
            const { port1, port2 } = new MessageChannel();
            port1.onmessage = () => resolve(performance.timeOrigin + performance.now());
            port2.postMessage(null);
          });
        };
        const observer = new MutationObserver(look);
        observer.observe(document.body, { subtree: true, childList: true, characterData: true, attributes: true });
        look();
      });
      window.berthWatch = watched;
    },
    { text: shows.toString(), looked: wanted },
  );
}

export async function painted(page: Page): Promise<{ readonly at: number; readonly inputAt: number }> {
  return page.evaluate(async () => {
    const watched = window.berthWatch;
    if (watched === undefined) throw new Error("nothing is watched for");
    const late = new Promise<never>((_, reject) => setTimeout(() => reject(new Error("not within 60 s")), 60_000));
    return { at: await Promise.race([watched.done, late]), inputAt: watched.inputAt };
  });
}

/** How far the page's clock is ahead of this process's, ms: by the shortest of a few questions. */
export async function clockOffset(page: Page): Promise<number> {
  let best = { took: Number.POSITIVE_INFINITY, offset: 0 };
  for (let turn = 0; turn < 30; turn++) {
    const asked = performance.timeOrigin + performance.now();
    const there = await page.evaluate(() => performance.timeOrigin + performance.now());
    const took = performance.timeOrigin + performance.now() - asked;
    if (took < best.took) best = { took, offset: there - (asked + took / 2) };
  }
  return best.offset;
}

/** The longest time between two frames while the page is scrolled down and up again with the wheel, ms. */
export async function longestFrame(page: Page, turns: number): Promise<number> {
  await page.evaluate(() => {
    const state = { longest: 0, last: 0, on: true };
    Reflect.set(window, "berthFrames", state);
    const frame = (at: number) => {
      if (state.last > 0) state.longest = Math.max(state.longest, at - state.last);
      state.last = at;
      if (state.on) requestAnimationFrame(frame);
    };
    requestAnimationFrame(frame);
  });
  for (let turn = 0; turn < turns; turn++) {
    await page.mouse.wheel(0, turn < turns / 2 ? 200 : -200);
    await page.waitForTimeout(16);
  }
  return page.evaluate(() => {
    const state = Reflect.get(window, "berthFrames") as { longest: number; on: boolean };
    state.on = false;
    return state.longest;
  });
}
