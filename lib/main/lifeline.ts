import { Socket } from "node:net";

/**
 * A child's tie to its parent: the read end of a pipe the parent holds open.
 * When the parent ends in any way, `kill -9` included, the pipe closes and
 * `gone` is called once. Does nothing when the process was not started as a child.
 */
export function watchLifeline(gone: () => void): void {
  const fd = Number(process.env.BERTH_LIFELINE);
  if (!Number.isInteger(fd) || fd < 3) return;
  let called = false;
  const once = () => {
    if (called) return;
    called = true;
    gone();
  };
  try {
    const pipe = new Socket({ fd, readable: true, writable: false });
    pipe.on("end", once);
    pipe.on("close", once);
    pipe.on("error", once);
    pipe.resume();
    pipe.unref();
  } catch {
    once();
  }
}
