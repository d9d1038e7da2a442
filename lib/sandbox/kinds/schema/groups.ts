/**
 * The types of metav1 and of the groups besides core of Kubernetes 1.36, one definition each: `Name field:type…`; see `parseTable` in definitions.ts for
 * the notation. `!` marks what is required, `@key` the strategic merge key of a list (`@` alone: a set).
 */
export const META = `
ObjectMeta annotations:{string} creationTimestamp:time deletionGracePeriodSeconds:int64 deletionTimestamp:time
  finalizers:[string]@ generateName:string generation:int64 labels:{string} managedFields:[ManagedFieldsEntry]
  name:string namespace:string ownerReferences:[OwnerReference]@uid resourceVersion:string selfLink:string
  uid:string
ManagedFieldsEntry apiVersion:string fieldsType:string fieldsV1:any manager:string operation:string
  subresource:string time:time
OwnerReference apiVersion:string! blockOwnerDeletion:bool controller:bool kind:string! name:string! uid:string!
LabelSelector matchExpressions:[LabelSelectorRequirement] matchLabels:{string}
LabelSelectorRequirement key:string! operator:string! values:[string]
Condition lastTransitionTime:time! message:string! observedGeneration:int64 reason:string! status:string!
  type:string!
`;

export const APPS = `
Deployment apiVersion:string kind:string metadata:meta/ObjectMeta spec:DeploymentSpec status:DeploymentStatus
DeploymentSpec minReadySeconds:int32 paused:bool progressDeadlineSeconds:int32 replicas:int32
  revisionHistoryLimit:int32 selector:meta/LabelSelector! strategy:DeploymentStrategy
  template:core/PodTemplateSpec!
DeploymentStrategy rollingUpdate:RollingUpdateDeployment type:string
RollingUpdateDeployment maxSurge:intstr maxUnavailable:intstr
DeploymentStatus availableReplicas:int32 collisionCount:int32 conditions:[DeploymentCondition]@type
  observedGeneration:int64 readyReplicas:int32 replicas:int32 terminatingReplicas:int32
  unavailableReplicas:int32 updatedReplicas:int32
DeploymentCondition lastTransitionTime:time lastUpdateTime:time message:string reason:string status:string!
  type:string!
ReplicaSet apiVersion:string kind:string metadata:meta/ObjectMeta spec:ReplicaSetSpec status:ReplicaSetStatus
ReplicaSetSpec minReadySeconds:int32 replicas:int32 selector:meta/LabelSelector! template:core/PodTemplateSpec
ReplicaSetStatus availableReplicas:int32 conditions:[ReplicaSetCondition]@type fullyLabeledReplicas:int32
  observedGeneration:int64 readyReplicas:int32 replicas:int32! terminatingReplicas:int32
ReplicaSetCondition lastTransitionTime:time message:string reason:string status:string! type:string!
DaemonSet apiVersion:string kind:string metadata:meta/ObjectMeta spec:DaemonSetSpec status:DaemonSetStatus
DaemonSetSpec minReadySeconds:int32 revisionHistoryLimit:int32 selector:meta/LabelSelector!
  template:core/PodTemplateSpec! updateStrategy:DaemonSetUpdateStrategy
DaemonSetUpdateStrategy rollingUpdate:RollingUpdateDaemonSet type:string
RollingUpdateDaemonSet maxSurge:intstr maxUnavailable:intstr
DaemonSetStatus collisionCount:int32 conditions:[DaemonSetCondition]@type currentNumberScheduled:int32!
  desiredNumberScheduled:int32! numberAvailable:int32 numberMisscheduled:int32! numberReady:int32!
  numberUnavailable:int32 observedGeneration:int64 updatedNumberScheduled:int32
DaemonSetCondition lastTransitionTime:time message:string reason:string status:string! type:string!
StatefulSet apiVersion:string kind:string metadata:meta/ObjectMeta spec:StatefulSetSpec status:StatefulSetStatus
StatefulSetSpec minReadySeconds:int32 ordinals:StatefulSetOrdinals
  persistentVolumeClaimRetentionPolicy:StatefulSetPersistentVolumeClaimRetentionPolicy
  podManagementPolicy:string replicas:int32 revisionHistoryLimit:int32 selector:meta/LabelSelector!
  serviceName:string template:core/PodTemplateSpec! updateStrategy:StatefulSetUpdateStrategy
  volumeClaimTemplates:[any]
StatefulSetOrdinals start:int32
StatefulSetPersistentVolumeClaimRetentionPolicy whenDeleted:string whenScaled:string
StatefulSetUpdateStrategy rollingUpdate:RollingUpdateStatefulSetStrategy type:string
RollingUpdateStatefulSetStrategy maxUnavailable:intstr partition:int32
StatefulSetStatus availableReplicas:int32 collisionCount:int32 conditions:[StatefulSetCondition]@type
  currentReplicas:int32 currentRevision:string observedGeneration:int64 readyReplicas:int32 replicas:int32!
  updateRevision:string updatedReplicas:int32
StatefulSetCondition lastTransitionTime:time message:string reason:string status:string! type:string!
ControllerRevision apiVersion:string data:any kind:string metadata:meta/ObjectMeta revision:int64!
`;

export const DISCOVERY = `
EndpointSlice addressType:string! apiVersion:string endpoints:[Endpoint] kind:string metadata:meta/ObjectMeta
  ports:[EndpointPort]
Endpoint addresses:[string]! conditions:EndpointConditions deprecatedTopology:{string} hints:EndpointHints
  hostname:string nodeName:string targetRef:core/ObjectReference zone:string
EndpointConditions ready:bool serving:bool terminating:bool
EndpointHints forNodes:[ForNode] forZones:[ForZone]
ForNode name:string!
ForZone name:string!
EndpointPort appProtocol:string name:string port:int32 protocol:string
`;

export const EVENTS = `
Event action:string apiVersion:string deprecatedCount:int32 deprecatedFirstTimestamp:time
  deprecatedLastTimestamp:time deprecatedSource:core/EventSource eventTime:microtime! kind:string
  metadata:meta/ObjectMeta note:string reason:string regarding:core/ObjectReference related:core/ObjectReference
  reportingController:string reportingInstance:string series:EventSeries type:string
EventSeries count:int32! lastObservedTime:microtime!
`;

export const COORDINATION = `
Lease apiVersion:string kind:string metadata:meta/ObjectMeta spec:LeaseSpec
LeaseSpec acquireTime:microtime holderIdentity:string leaseDurationSeconds:int32 leaseTransitions:int32
  preferredHolder:string renewTime:microtime strategy:string
`;

export const RBAC = `
Role apiVersion:string kind:string metadata:meta/ObjectMeta rules:[PolicyRule]
PolicyRule apiGroups:[string] nonResourceURLs:[string] resourceNames:[string] resources:[string] verbs:[string]!
RoleBinding apiVersion:string kind:string metadata:meta/ObjectMeta roleRef:RoleRef! subjects:[Subject]
RoleRef apiGroup:string kind:string! name:string!
Subject apiGroup:string kind:string! name:string! namespace:string
ClusterRole aggregationRule:AggregationRule apiVersion:string kind:string metadata:meta/ObjectMeta
  rules:[PolicyRule]
AggregationRule clusterRoleSelectors:[meta/LabelSelector]
ClusterRoleBinding apiVersion:string kind:string metadata:meta/ObjectMeta roleRef:RoleRef!
  subjects:[Subject]
`;

export const APIEXTENSIONS = `
CustomResourceDefinition apiVersion:string kind:string metadata:meta/ObjectMeta
  spec:CustomResourceDefinitionSpec! status:CustomResourceDefinitionStatus
CustomResourceDefinitionSpec conversion:CustomResourceConversion group:string!
  names:CustomResourceDefinitionNames! preserveUnknownFields:bool scope:string!
  versions:[CustomResourceDefinitionVersion]!
CustomResourceConversion strategy:string! webhook:WebhookConversion
WebhookConversion clientConfig:WebhookClientConfig conversionReviewVersions:[string]!
WebhookClientConfig caBundle:bytes service:ServiceReference url:string
ServiceReference name:string! namespace:string! path:string port:int32
CustomResourceDefinitionNames categories:[string] kind:string! listKind:string plural:string!
  shortNames:[string] singular:string
CustomResourceDefinitionVersion additionalPrinterColumns:[CustomResourceColumnDefinition] deprecated:bool
  deprecationWarning:string name:string! schema:CustomResourceValidation selectableFields:[SelectableField]
  served:bool! storage:bool! subresources:CustomResourceSubresources
CustomResourceColumnDefinition description:string format:string jsonPath:string! name:string! priority:int32
  type:string!
CustomResourceValidation openAPIV3Schema:JSONSchemaProps
JSONSchemaProps $ref:string $schema:string additionalItems:any additionalProperties:any allOf:[JSONSchemaProps]
  anyOf:[JSONSchemaProps] default:any definitions:{JSONSchemaProps} dependencies:{any} description:string
  enum:[any] example:any exclusiveMaximum:bool exclusiveMinimum:bool externalDocs:ExternalDocumentation
  format:string id:string items:any maxItems:int64 maxLength:int64 maxProperties:int64 maximum:number
  minItems:int64 minLength:int64 minProperties:int64 minimum:number multipleOf:number not:JSONSchemaProps
  nullable:bool oneOf:[JSONSchemaProps] pattern:string patternProperties:{JSONSchemaProps}
  properties:{JSONSchemaProps} required:[string] title:string type:string uniqueItems:bool
  x-kubernetes-embedded-resource:bool x-kubernetes-int-or-string:bool x-kubernetes-list-map-keys:[string]
  x-kubernetes-list-type:string x-kubernetes-map-type:string x-kubernetes-preserve-unknown-fields:bool
  x-kubernetes-validations:[ValidationRule]
ExternalDocumentation description:string url:string
ValidationRule fieldPath:string message:string messageExpression:string optionalOldSelf:bool reason:string
  rule:string!
SelectableField jsonPath:string!
CustomResourceSubresources scale:CustomResourceSubresourceScale status:any
CustomResourceSubresourceScale labelSelectorPath:string specReplicasPath:string! statusReplicasPath:string!
CustomResourceDefinitionStatus acceptedNames:CustomResourceDefinitionNames
  conditions:[CustomResourceDefinitionCondition] observedGeneration:int64 storedVersions:[string]
CustomResourceDefinitionCondition lastTransitionTime:time message:string observedGeneration:int64 reason:string
  status:string! type:string!
`;

export const AUTOSCALING = `
Scale apiVersion:string kind:string metadata:meta/ObjectMeta spec:ScaleSpec status:ScaleStatus
ScaleSpec replicas:int32
ScaleStatus replicas:int32! selector:string
`;

export const POLICY = `
PodDisruptionBudget apiVersion:string kind:string metadata:meta/ObjectMeta spec:PodDisruptionBudgetSpec
  status:PodDisruptionBudgetStatus
PodDisruptionBudgetSpec maxUnavailable:intstr minAvailable:intstr selector:meta/LabelSelector
  unhealthyPodEvictionPolicy:string
PodDisruptionBudgetStatus conditions:[meta/Condition]@type currentHealthy:int32 desiredHealthy:int32
  disruptedPods:{time} disruptionsAllowed:int32 expectedPods:int32 observedGeneration:int64
Eviction apiVersion:string deleteOptions:any kind:string metadata:meta/ObjectMeta
`;

export const ADMISSIONREGISTRATION = `
ValidatingWebhookConfiguration apiVersion:string kind:string metadata:meta/ObjectMeta
  webhooks:[ValidatingWebhook]@name
MutatingWebhookConfiguration apiVersion:string kind:string metadata:meta/ObjectMeta
  webhooks:[MutatingWebhook]@name
MutatingWebhook admissionReviewVersions:[string]! clientConfig:WebhookClientConfig! failurePolicy:string
  matchConditions:[MatchCondition] matchPolicy:string name:string! namespaceSelector:meta/LabelSelector
  objectSelector:meta/LabelSelector reinvocationPolicy:string rules:[RuleWithOperations] sideEffects:string!
  timeoutSeconds:int32
ValidatingWebhook admissionReviewVersions:[string]! clientConfig:WebhookClientConfig! failurePolicy:string
  matchConditions:[MatchCondition] matchPolicy:string name:string! namespaceSelector:meta/LabelSelector
  objectSelector:meta/LabelSelector rules:[RuleWithOperations] sideEffects:string! timeoutSeconds:int32
WebhookClientConfig caBundle:bytes service:ServiceReference url:string
ServiceReference name:string! namespace:string! path:string port:int32
MatchCondition expression:string! name:string!
RuleWithOperations apiGroups:[string] apiVersions:[string] operations:[string] resources:[string] scope:string
`;

export const AUTHENTICATION = `
SelfSubjectReview apiVersion:string kind:string metadata:meta/ObjectMeta status:SelfSubjectReviewStatus
SelfSubjectReviewStatus userInfo:UserInfo
TokenReview apiVersion:string kind:string metadata:meta/ObjectMeta spec:TokenReviewSpec! status:TokenReviewStatus
TokenReviewSpec audiences:[string] token:string
TokenReviewStatus audiences:[string] authenticated:bool error:string user:UserInfo
UserInfo extra:{[string]} groups:[string] uid:string username:string
`;

export const AUTHORIZATION = `
LocalSubjectAccessReview apiVersion:string kind:string metadata:meta/ObjectMeta spec:SubjectAccessReviewSpec!
  status:SubjectAccessReviewStatus
SelfSubjectAccessReview apiVersion:string kind:string metadata:meta/ObjectMeta spec:SelfSubjectAccessReviewSpec!
  status:SubjectAccessReviewStatus
SelfSubjectRulesReview apiVersion:string kind:string metadata:meta/ObjectMeta spec:SelfSubjectRulesReviewSpec!
  status:SubjectRulesReviewStatus
SubjectAccessReview apiVersion:string kind:string metadata:meta/ObjectMeta spec:SubjectAccessReviewSpec!
  status:SubjectAccessReviewStatus
SelfSubjectAccessReviewSpec nonResourceAttributes:NonResourceAttributes resourceAttributes:ResourceAttributes
SelfSubjectRulesReviewSpec namespace:string
SubjectAccessReviewSpec extra:{[string]} groups:[string] nonResourceAttributes:NonResourceAttributes
  resourceAttributes:ResourceAttributes uid:string user:string
SubjectAccessReviewStatus allowed:bool! denied:bool evaluationError:string reason:string
SubjectRulesReviewStatus evaluationError:string incomplete:bool! nonResourceRules:[NonResourceRule]!
  resourceRules:[ResourceRule]!
NonResourceAttributes path:string verb:string
NonResourceRule nonResourceURLs:[string] verbs:[string]!
ResourceAttributes fieldSelector:FieldSelectorAttributes group:string labelSelector:LabelSelectorAttributes
  name:string namespace:string resource:string subresource:string verb:string version:string
ResourceRule apiGroups:[string] resourceNames:[string] resources:[string] verbs:[string]!
FieldSelectorAttributes rawSelector:string requirements:[SelectorRequirement]
LabelSelectorAttributes rawSelector:string requirements:[SelectorRequirement]
SelectorRequirement key:string! operator:string! values:[string]
`;
