/** AddressHold (`berth.dev/v1alpha1`, cluster-scoped): addresses that the controller does not give out, and why. */
import { z } from "zod";
import type { HoldInput } from "#core/holds";
import { HOLD_REASONS, HOLD_STATES } from "#core/reasons";
import { KubeObject } from "./kubernetes/objects.ts";
import { asObject, asTexts } from "./unsound.ts";

export const AddressHoldSpec = z.looseObject({
  addresses: z
    .array(z.string())
    .min(1)
    .describe(
      "Addresses lists what is not given out: single addresses, CIDR prefixes or explicit start-end ranges,\nof both families. They need not be part of a pool. Length costs nothing: a /8 is as good as a /32.",
    ),
  reason: z
    .enum(HOLD_REASONS)
    .default("reserved")
    .describe(
      "Reason says who holds them back: a person (reserved), or a speaker that heard another machine\nanswer for the address (conflict). A Service that has a conflicting address without having asked for it gets\nanother one; at most 5 do in a minute.",
    ),
  expiry: z
    .string()
    .optional()
    .describe("Expiry is when the hold ends by itself (RFC 3339). Without it, it lasts until it is deleted."),
  note: z.string().optional().describe("Note is for people: what the addresses are kept for."),
  mac: z.string().optional().describe("MAC of the machine that answered for the address (reason conflict)."),
  node: z.string().optional().describe("Node whose speaker heard that answer (reason conflict)."),
});
export type AddressHoldSpec = z.infer<typeof AddressHoldSpec>;

export const AddressHoldStatus = z.looseObject({
  state: z.enum(HOLD_STATES).optional().describe("State is Active, Expired or Invalid. Written by the controller."),
  message: z.string().optional().describe("Message says what is wrong with an invalid hold."),
});
export type AddressHoldStatus = z.infer<typeof AddressHoldStatus>;

export const AddressHold = KubeObject.extend({ spec: AddressHoldSpec, status: AddressHoldStatus.optional() });
export type AddressHold = z.infer<typeof AddressHold>;

/** A hold as core decides on it. Anything of the wrong type becomes something that core refuses with a sentence. */
export function toHoldInput(hold: AddressHold): HoldInput {
  const { addresses, reason, expiry, note, mac, node } = asObject(hold.spec);
  return {
    name: hold.metadata.name ?? "",
    addresses: asTexts(addresses),
    reason: reason === undefined || reason === null ? "reserved" : textOf(reason),
    expiry: expiry === undefined || expiry === null ? null : textOf(expiry),
    note: typeof note === "string" ? note : "",
    mac: typeof mac === "string" ? mac : "",
    node: typeof node === "string" ? node : "",
  };
}

function textOf(value: unknown): string {
  return typeof value === "string" ? value : JSON.stringify(value);
}
