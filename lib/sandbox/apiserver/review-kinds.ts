import type { Asked } from "#sandbox/kinds/openapi-paths";

const AUTHENTICATION = "authentication.k8s.io";
const AUTHORIZATION = "authorization.k8s.io";

interface ReviewKind extends Asked {
  /** Of its fields. */
  readonly schemaId: string;
}

function review(group: string, kind: string, namespaced = false): ReviewKind {
  const schemaId = `${group.split(".")[0]}/${kind}`;
  return { group, version: "v1", kind, plural: `${kind.toLowerCase()}s`, namespaced, schemaId };
}

/** Kinds that are only created, never stored: the reply is the answer. */
export const REVIEWS: readonly ReviewKind[] = [
  review(AUTHENTICATION, "SelfSubjectReview"),
  review(AUTHENTICATION, "TokenReview"),
  review(AUTHORIZATION, "LocalSubjectAccessReview", true),
  review(AUTHORIZATION, "SelfSubjectAccessReview"),
  review(AUTHORIZATION, "SelfSubjectRulesReview"),
  review(AUTHORIZATION, "SubjectAccessReview"),
];

/** The review that is created there; undefined when it is no review. */
export function reviewAt(group: string, version: string, plural: string): ReviewKind | undefined {
  return REVIEWS.find((one) => one.group === group && one.version === version && one.plural === plural);
}
