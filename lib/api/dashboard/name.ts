import { z } from "zod";

/** The name of an object in a request body (a DNS subdomain, as `metadata.name`). */
export const Name = z
  .string()
  .min(1, "a name is needed")
  .max(253)
  .regex(
    /^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/,
    "lower case letters, digits, '-' and '.', beginning and ending with a letter or digit",
  );
