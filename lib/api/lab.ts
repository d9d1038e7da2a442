import { z } from "zod";

/** Below the data directory: how to enter the namespaces of a running sandbox (`--network netns`). */
export const LAB_FILE = "run/lab.json";

/** Below the data directory: the API server's Unix socket, for processes whose namespace has another loopback. */
export const API_SOCKET = "run/api.sock";

/** Below the data directory: the Unix socket through which the API server reaches pods in their namespaces. */
export const POD_SOCKET = "run/pods.sock";

/** One host of the lab. */
export const LabHost = z.object({
  /** "client", "node-01", "default/nginx-app-…" */
  name: z.string(),
  /** Its file in /run/netns of the nodes process; null: that process's own namespace. */
  netns: z.string().nullable(),
  summary: z.string(),
});
export type LabHost = z.infer<typeof LabHost>;

/** Written by the nodes process whenever a host comes or goes. */
export const LabFile = z.object({
  /** The nodes process, and its start time (field 22 of /proc/<pid>/stat). */
  pid: z.number().int().positive(),
  startTime: z.string(),
  /** It is in a user namespace of its own. */
  user: z.boolean(),
  hosts: z.array(LabHost),
});
export type LabFile = z.infer<typeof LabFile>;
