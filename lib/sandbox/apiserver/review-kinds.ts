interface ReviewKind {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  readonly plural: string;
  readonly namespaced: boolean;
}

const AUTHENTICATION = "authentication.k8s.io";
const AUTHORIZATION = "authorization.k8s.io";

function review(group: string, kind: string, namespaced = false): ReviewKind {
  return { group, version: "v1", kind, plural: `${kind.toLowerCase()}s`, namespaced };
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

export function isReview(group: string, version: string, plural: string): boolean {
  return REVIEWS.some((one) => one.group === group && one.version === version && one.plural === plural);
}
