import { Fault } from "#core/errors";
import type { Objects } from "../port.ts";

/** The API as a node sees it: while it is not connected, whatever it asks or writes fails with Fault `unavailable`. */
export function whileConnected(objects: Objects, connected: () => boolean): Objects {
  const check = async () => {
    if (!connected()) throw new Fault("unavailable", "the node is cut off from the API server");
  };
  return {
    get: (...args) => check().then(() => objects.get(...args)),
    list: (...args) => check().then(() => objects.list(...args)),
    create: (...args) => check().then(() => objects.create(...args)),
    replace: (...args) => check().then(() => objects.replace(...args)),
    patch: (...args) => check().then(() => objects.patch(...args)),
    remove: (...args) => check().then(() => objects.remove(...args)),
    cache: (...args) => objects.cache(...args),
  };
}
