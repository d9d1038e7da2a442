/** Parts of undici that are loaded alone: the whole of it, with fetch and web sockets, takes 12 MB more in every pod. */
declare module "undici/lib/dispatcher/agent.js" {
  import type { Agent } from "undici";

  const part: typeof Agent;
  export = part;
}

declare module "undici/lib/api/index.js" {
  import type { Dispatcher } from "undici";

  const part: {
    readonly request: (this: Dispatcher, options: Dispatcher.RequestOptions) => Promise<Dispatcher.ResponseData>;
  };
  export = part;
}
