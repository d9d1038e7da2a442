/** Shapes that every Kubernetes API shares, with the words that controller-gen gives them. */
type Json = Record<string, unknown>;

const strings = { type: "string" };

export const SELECTOR_SCHEMA: Json = {
  description:
    "A label selector is a label query over a set of resources. The result of matchLabels and\nmatchExpressions are ANDed. An empty label selector matches all objects. A null\nlabel selector matches no objects.",
  type: "object",
  properties: {
    matchExpressions: {
      description: "matchExpressions is a list of label selector requirements. The requirements are ANDed.",
      type: "array",
      items: {
        description:
          "A label selector requirement is a selector that contains values, a key, and an operator that\nrelates the key and values.",
        type: "object",
        properties: {
          key: { description: "key is the label key that the selector applies to.", ...strings },
          operator: {
            description:
              "operator represents a key's relationship to a set of values.\nValid operators are In, NotIn, Exists and DoesNotExist.",
            ...strings,
          },
          values: {
            description:
              "values is an array of string values. If the operator is In or NotIn,\nthe values array must be non-empty. If the operator is Exists or DoesNotExist,\nthe values array must be empty. This array is replaced during a strategic\nmerge patch.",
            type: "array",
            items: strings,
            "x-kubernetes-list-type": "atomic",
          },
        },
        required: ["key", "operator"],
      },
      "x-kubernetes-list-type": "atomic",
    },
    matchLabels: {
      description:
        'matchLabels is a map of {key,value} pairs. A single {key,value} in the matchLabels\nmap is equivalent to an element of matchExpressions, whose key field is "key", the\noperator is "In", and the values array contains only "value". The requirements are ANDed.',
      type: "object",
      additionalProperties: strings,
    },
  },
  "x-kubernetes-map-type": "atomic",
};

export const CONDITION_SCHEMA: Json = {
  description: "Condition contains details for one aspect of the current state of this API Resource.",
  type: "object",
  properties: {
    lastTransitionTime: {
      description:
        "lastTransitionTime is the last time the condition transitioned from one status to another.\nThis should be when the underlying condition changed.  If that is not known, then using the time when the API field changed is acceptable.",
      type: "string",
      format: "date-time",
    },
    message: {
      description:
        "message is a human readable message indicating details about the transition.\nThis may be an empty string.",
      type: "string",
      maxLength: 32768,
    },
    observedGeneration: {
      description:
        "observedGeneration represents the .metadata.generation that the condition was set based upon.\nFor instance, if .metadata.generation is currently 12, but the .status.conditions[x].observedGeneration is 9, the condition is out of date\nwith respect to the current state of the instance.",
      type: "integer",
      format: "int64",
      minimum: 0,
    },
    reason: {
      description:
        "reason contains a programmatic identifier indicating the reason for the condition's last transition.\nProducers of specific condition types may define expected values and meanings for this field,\nand whether the values are considered a guaranteed API.\nThe value should be a CamelCase string.\nThis field may not be empty.",
      type: "string",
      maxLength: 1024,
      minLength: 1,
      pattern: "^[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?$",
    },
    status: {
      description: "status of the condition, one of True, False, Unknown.",
      type: "string",
      enum: ["True", "False", "Unknown"],
    },
    type: {
      description: "type of condition in CamelCase or in foo.example.com/CamelCase.",
      type: "string",
      maxLength: 316,
      pattern:
        "^([a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*/)?(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])$",
    },
  },
  required: ["lastTransitionTime", "message", "reason", "status", "type"],
};

/** The first three properties of every object. */
export const OBJECT_PROPERTIES: Json = {
  apiVersion: {
    description:
      "APIVersion defines the versioned schema of this representation of an object.\nServers should convert recognized schemas to the latest internal value, and\nmay reject unrecognized values.\nMore info: https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md#resources",
    type: "string",
  },
  kind: {
    description:
      "Kind is a string value representing the REST resource this object represents.\nServers may infer this from the endpoint the client submits requests to.\nCannot be updated.\nIn CamelCase.\nMore info: https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md#types-kinds",
    type: "string",
  },
  metadata: { type: "object" },
};
