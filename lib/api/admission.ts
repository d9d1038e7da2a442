/** What API servers ask admission webhooks, and the reviews by which a webhook's own callers are judged. */
import { z } from "zod";
import { KubeObject } from "./kubernetes/objects.ts";

/** The part of an AdmissionReview (admission.k8s.io/v1) that a verdict needs. Objects are taken as they come. */
export const AdmissionReview = z.looseObject({
  apiVersion: z.literal("admission.k8s.io/v1"),
  kind: z.literal("AdmissionReview"),
  request: z.looseObject({
    uid: z.string().min(1).max(256),
    kind: z.looseObject({ group: z.string(), version: z.string(), kind: z.string() }),
    operation: z.enum(["CREATE", "UPDATE", "DELETE", "CONNECT"]),
    name: z.string().optional(),
    namespace: z.string().optional(),
    object: z.unknown().optional(),
    oldObject: z.unknown().optional(),
  }),
});
export type AdmissionReview = z.infer<typeof AdmissionReview>;

/** One entry of a ValidatingWebhookConfiguration; `caBundle` is base64 of PEM. */
export const ValidatingWebhook = z.looseObject({
  name: z.string(),
  clientConfig: z.looseObject({
    caBundle: z.string().optional(),
    service: z.looseObject({ name: z.string(), namespace: z.string() }).optional(),
  }),
});
export type ValidatingWebhook = z.infer<typeof ValidatingWebhook>;

export const ValidatingWebhookConfiguration = KubeObject.extend({ webhooks: z.array(ValidatingWebhook).optional() });
export type ValidatingWebhookConfiguration = z.infer<typeof ValidatingWebhookConfiguration>;

/** authentication.k8s.io/v1: who has this token? */
export const TokenReview = KubeObject.extend({
  spec: z.looseObject({ token: z.string() }),
  status: z
    .looseObject({
      authenticated: z.boolean().optional(),
      user: z
        .looseObject({
          username: z.string().optional(),
          uid: z.string().optional(),
          groups: z.array(z.string()).optional(),
          extra: z.record(z.string(), z.array(z.string())).optional(),
        })
        .optional(),
    })
    .optional(),
});
export type TokenReview = z.infer<typeof TokenReview>;

/** authorization.k8s.io/v1: may this user request this path? */
export const SubjectAccessReview = KubeObject.extend({
  spec: z.looseObject({
    user: z.string().optional(),
    uid: z.string().optional(),
    groups: z.array(z.string()).optional(),
    extra: z.record(z.string(), z.array(z.string())).optional(),
    nonResourceAttributes: z.looseObject({ path: z.string(), verb: z.string() }).optional(),
  }),
  status: z.looseObject({ allowed: z.boolean().optional(), denied: z.boolean().optional() }).optional(),
});
export type SubjectAccessReview = z.infer<typeof SubjectAccessReview>;
