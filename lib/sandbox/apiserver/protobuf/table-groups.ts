/**
 * Field numbers of metav1 and of the groups besides core (Kubernetes' generated.proto, read from the struct tags of kubectl
 * 1.32), one message each: `Name number=field:type…`; see `messages.ts` for the notation.
 */
export const META = `
Condition 1=type:string 2=status:string 3=observedGeneration:int64 4=lastTransitionTime:time 5=reason:string
  6=message:string
DeleteOptions 1=gracePeriodSeconds:int64! 2=preconditions:Preconditions! 3=orphanDependents:bool!
  4=propagationPolicy:string! 5=dryRun:[string] 6=ignoreStoreReadErrorWithClusterBreakingPotential:bool!
FieldSelectorRequirement 1=key:string 2=operator:string 3=values:[string]
LabelSelector 1=matchLabels:{string} 2=matchExpressions:[LabelSelectorRequirement]
LabelSelectorRequirement 1=key:string 2=operator:string 3=values:[string]
ManagedFieldsEntry 1=manager:string 2=operation:string 3=apiVersion:string 4=time:time! 6=fieldsType:string
  7=fieldsV1:any! 8=subresource:string
ObjectMeta 1=name:string 2=generateName:string 3=namespace:string 4=selfLink:string 5=uid:string
  6=resourceVersion:string 7=generation:int64 8=creationTimestamp:time 9=deletionTimestamp:time!
  10=deletionGracePeriodSeconds:int64! 11=labels:{string} 12=annotations:{string} 13=ownerReferences:[OwnerReference]
  14=finalizers:[string] 17=managedFields:[ManagedFieldsEntry]
OwnerReference 1=kind:string 3=name:string 4=uid:string 5=apiVersion:string 6=controller:bool!
  7=blockOwnerDeletion:bool!
Preconditions 1=uid:string! 2=resourceVersion:string!
`;

export const APPS = `
ControllerRevision 1=metadata:meta/ObjectMeta 2=data:any 3=revision:int64
DaemonSet 1=metadata:meta/ObjectMeta 2=spec:DaemonSetSpec 3=status:DaemonSetStatus
DaemonSetCondition 1=type:string 2=status:string 3=lastTransitionTime:time 4=reason:string 5=message:string
DaemonSetSpec 1=selector:meta/LabelSelector! 2=template:core/PodTemplateSpec 3=updateStrategy:DaemonSetUpdateStrategy
  4=minReadySeconds:int32 6=revisionHistoryLimit:int32!
DaemonSetStatus 1=currentNumberScheduled:int32 2=numberMisscheduled:int32 3=desiredNumberScheduled:int32
  4=numberReady:int32 5=observedGeneration:int64 6=updatedNumberScheduled:int32 7=numberAvailable:int32
  8=numberUnavailable:int32 9=collisionCount:int32! 10=conditions:[DaemonSetCondition]
DaemonSetUpdateStrategy 1=type:string 2=rollingUpdate:RollingUpdateDaemonSet!
Deployment 1=metadata:meta/ObjectMeta 2=spec:DeploymentSpec 3=status:DeploymentStatus
DeploymentCondition 1=type:string 2=status:string 4=reason:string 5=message:string 6=lastUpdateTime:time
  7=lastTransitionTime:time
DeploymentSpec 1=replicas:int32! 2=selector:meta/LabelSelector! 3=template:core/PodTemplateSpec
  4=strategy:DeploymentStrategy 5=minReadySeconds:int32 6=revisionHistoryLimit:int32! 7=paused:bool
  9=progressDeadlineSeconds:int32!
DeploymentStatus 1=observedGeneration:int64 2=replicas:int32 3=updatedReplicas:int32 4=availableReplicas:int32
  5=unavailableReplicas:int32 6=conditions:[DeploymentCondition] 7=readyReplicas:int32 8=collisionCount:int32!
DeploymentStrategy 1=type:string 2=rollingUpdate:RollingUpdateDeployment!
ReplicaSet 1=metadata:meta/ObjectMeta 2=spec:ReplicaSetSpec 3=status:ReplicaSetStatus
ReplicaSetCondition 1=type:string 2=status:string 3=lastTransitionTime:time 4=reason:string 5=message:string
ReplicaSetSpec 1=replicas:int32! 2=selector:meta/LabelSelector! 3=template:core/PodTemplateSpec
  4=minReadySeconds:int32
ReplicaSetStatus 1=replicas:int32 2=fullyLabeledReplicas:int32 3=observedGeneration:int64 4=readyReplicas:int32
  5=availableReplicas:int32 6=conditions:[ReplicaSetCondition]
RollingUpdateDaemonSet 1=maxUnavailable:intstr! 2=maxSurge:intstr!
RollingUpdateDeployment 1=maxUnavailable:intstr! 2=maxSurge:intstr!
RollingUpdateStatefulSetStrategy 1=partition:int32! 2=maxUnavailable:intstr!
StatefulSet 1=metadata:meta/ObjectMeta 2=spec:StatefulSetSpec 3=status:StatefulSetStatus
StatefulSetCondition 1=type:string 2=status:string 3=lastTransitionTime:time 4=reason:string 5=message:string
StatefulSetOrdinals 1=start:int32
StatefulSetPersistentVolumeClaimRetentionPolicy 1=whenDeleted:string 2=whenScaled:string
StatefulSetSpec 1=replicas:int32! 2=selector:meta/LabelSelector! 3=template:core/PodTemplateSpec
  4=volumeClaimTemplates:[core/PersistentVolumeClaim] 5=serviceName:string 6=podManagementPolicy:string
  7=updateStrategy:StatefulSetUpdateStrategy 8=revisionHistoryLimit:int32! 9=minReadySeconds:int32
  10=persistentVolumeClaimRetentionPolicy:StatefulSetPersistentVolumeClaimRetentionPolicy!
  11=ordinals:StatefulSetOrdinals!
StatefulSetStatus 1=observedGeneration:int64 2=replicas:int32 3=readyReplicas:int32 4=currentReplicas:int32
  5=updatedReplicas:int32 6=currentRevision:string 7=updateRevision:string 9=collisionCount:int32!
  10=conditions:[StatefulSetCondition] 11=availableReplicas:int32
StatefulSetUpdateStrategy 1=type:string 2=rollingUpdate:RollingUpdateStatefulSetStrategy!
`;

export const RBAC = `
AggregationRule 1=clusterRoleSelectors:[meta/LabelSelector]
ClusterRole 1=metadata:meta/ObjectMeta 2=rules:[PolicyRule] 3=aggregationRule:AggregationRule!
ClusterRoleBinding 1=metadata:meta/ObjectMeta 2=subjects:[Subject] 3=roleRef:RoleRef
PolicyRule 1=verbs:[string] 2=apiGroups:[string] 3=resources:[string] 4=resourceNames:[string]
  5=nonResourceURLs:[string]
Role 1=metadata:meta/ObjectMeta 2=rules:[PolicyRule]
RoleBinding 1=metadata:meta/ObjectMeta 2=subjects:[Subject] 3=roleRef:RoleRef
RoleRef 1=apiGroup:string 2=kind:string 3=name:string
Subject 1=kind:string 2=apiGroup:string 3=name:string 4=namespace:string
`;

export const DISCOVERY = `
Endpoint 1=addresses:[string] 2=conditions:EndpointConditions 3=hostname:string! 4=targetRef:core/ObjectReference!
  5=deprecatedTopology:{string} 6=nodeName:string! 7=zone:string! 8=hints:EndpointHints!
EndpointConditions 1=ready:bool! 2=serving:bool! 3=terminating:bool!
EndpointHints 1=forZones:[ForZone]
EndpointPort 1=name:string! 2=protocol:string! 3=port:int32! 4=appProtocol:string!
EndpointSlice 1=metadata:meta/ObjectMeta 2=endpoints:[Endpoint] 3=ports:[EndpointPort] 4=addressType:string
ForZone 1=name:string
`;

export const COORDINATION = `
Lease 1=metadata:meta/ObjectMeta 2=spec:LeaseSpec
LeaseSpec 1=holderIdentity:string! 2=leaseDurationSeconds:int32! 3=acquireTime:microtime! 4=renewTime:microtime!
  5=leaseTransitions:int32! 6=strategy:string! 7=preferredHolder:string!
`;

export const POLICY = `
Eviction 1=metadata:meta/ObjectMeta 2=deleteOptions:meta/DeleteOptions!
PodDisruptionBudget 1=metadata:meta/ObjectMeta 2=spec:PodDisruptionBudgetSpec 3=status:PodDisruptionBudgetStatus
PodDisruptionBudgetSpec 1=minAvailable:intstr! 2=selector:meta/LabelSelector! 3=maxUnavailable:intstr!
  4=unhealthyPodEvictionPolicy:string!
PodDisruptionBudgetStatus 1=observedGeneration:int64 2=disruptedPods:{time} 3=disruptionsAllowed:int32
  4=currentHealthy:int32 5=desiredHealthy:int32 6=expectedPods:int32 7=conditions:[meta/Condition]
`;

export const AUTOSCALING = `
Scale 1=metadata:meta/ObjectMeta 2=spec:ScaleSpec 3=status:ScaleStatus
ScaleSpec 1=replicas:int32
ScaleStatus 1=replicas:int32 2=selector:string
`;

export const EVENTS = `
Event 1=metadata:meta/ObjectMeta 2=eventTime:microtime 3=series:EventSeries! 4=reportingController:string
  5=reportingInstance:string 6=action:string 7=reason:string 8=regarding:core/ObjectReference
  9=related:core/ObjectReference! 10=note:string 11=type:string 12=deprecatedSource:core/EventSource
  13=deprecatedFirstTimestamp:time 14=deprecatedLastTimestamp:time 15=deprecatedCount:int32
EventSeries 1=count:int32 2=lastObservedTime:microtime
`;

export const AUTHENTICATION = `
BoundObjectReference 1=kind:string 2=apiVersion:string 3=name:string 4=uid:string
ExtraValue 1=items:[string]
SelfSubjectReview 1=metadata:meta/ObjectMeta 2=status:SelfSubjectReviewStatus
SelfSubjectReviewStatus 1=userInfo:UserInfo
TokenRequest 1=metadata:meta/ObjectMeta 2=spec:TokenRequestSpec 3=status:TokenRequestStatus
TokenRequestSpec 1=audiences:[string] 3=boundObjectRef:BoundObjectReference! 4=expirationSeconds:int64!
TokenRequestStatus 1=token:string 2=expirationTimestamp:time
TokenReview 1=metadata:meta/ObjectMeta 2=spec:TokenReviewSpec 3=status:TokenReviewStatus
TokenReviewSpec 1=token:string 2=audiences:[string]
TokenReviewStatus 1=authenticated:bool 2=user:UserInfo 3=error:string 4=audiences:[string]
UserInfo 1=username:string 2=uid:string 3=groups:[string] 4=extra:{ExtraValue}
`;

export const AUTHORIZATION = `
ExtraValue 1=items:[string]
FieldSelectorAttributes 1=rawSelector:string 2=requirements:[meta/FieldSelectorRequirement]
LabelSelectorAttributes 1=rawSelector:string 2=requirements:[meta/LabelSelectorRequirement]
LocalSubjectAccessReview 1=metadata:meta/ObjectMeta 2=spec:SubjectAccessReviewSpec 3=status:SubjectAccessReviewStatus
NonResourceAttributes 1=path:string 2=verb:string
NonResourceRule 1=verbs:[string] 2=nonResourceURLs:[string]
ResourceAttributes 1=namespace:string 2=verb:string 3=group:string 4=version:string 5=resource:string
  6=subresource:string 7=name:string 8=fieldSelector:FieldSelectorAttributes! 9=labelSelector:LabelSelectorAttributes!
ResourceRule 1=verbs:[string] 2=apiGroups:[string] 3=resources:[string] 4=resourceNames:[string]
SelfSubjectAccessReview 1=metadata:meta/ObjectMeta 2=spec:SelfSubjectAccessReviewSpec
  3=status:SubjectAccessReviewStatus
SelfSubjectAccessReviewSpec 1=resourceAttributes:ResourceAttributes! 2=nonResourceAttributes:NonResourceAttributes!
SelfSubjectRulesReview 1=metadata:meta/ObjectMeta 2=spec:SelfSubjectRulesReviewSpec 3=status:SubjectRulesReviewStatus
SelfSubjectRulesReviewSpec 1=namespace:string
SubjectAccessReview 1=metadata:meta/ObjectMeta 2=spec:SubjectAccessReviewSpec 3=status:SubjectAccessReviewStatus
SubjectAccessReviewSpec 1=resourceAttributes:ResourceAttributes! 2=nonResourceAttributes:NonResourceAttributes!
  3=user:string 4=groups:[string] 5=extra:{ExtraValue} 6=uid:string
SubjectAccessReviewStatus 1=allowed:bool 2=reason:string 3=evaluationError:string 4=denied:bool
SubjectRulesReviewStatus 1=resourceRules:[ResourceRule] 2=nonResourceRules:[NonResourceRule] 3=incomplete:bool
  4=evaluationError:string
`;

export const ADMISSIONREGISTRATION = `
MatchCondition 1=name:string 2=expression:string
Rule 1=apiGroups:[string] 2=apiVersions:[string] 3=resources:[string] 4=scope:string!
RuleWithOperations 1=operations:[string] 2=.:Rule
ServiceReference 1=namespace:string 2=name:string 3=path:string! 4=port:int32!
ValidatingWebhook 1=name:string 2=clientConfig:WebhookClientConfig 3=rules:[RuleWithOperations]
  4=failurePolicy:string! 5=namespaceSelector:meta/LabelSelector! 6=sideEffects:string! 7=timeoutSeconds:int32!
  8=admissionReviewVersions:[string] 9=matchPolicy:string! 10=objectSelector:meta/LabelSelector!
  11=matchConditions:[MatchCondition]
ValidatingWebhookConfiguration 1=metadata:meta/ObjectMeta 2=webhooks:[ValidatingWebhook]
WebhookClientConfig 1=service:ServiceReference! 2=caBundle:bytes 3=url:string!
`;
