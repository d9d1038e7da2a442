/**
 * The types of the core group of Kubernetes 1.36, one definition each: `Name field:type…`; see `parseTable` in definitions.ts for
 * the notation. `!` marks what is required, `@key` the strategic merge key of a list (`@` alone: a set).
 */
export const CORE = `
Namespace apiVersion:string kind:string metadata:meta/ObjectMeta spec:NamespaceSpec status:NamespaceStatus
NamespaceSpec finalizers:[string]
NamespaceStatus conditions:[NamespaceCondition]@type phase:string
NamespaceCondition lastTransitionTime:time message:string reason:string status:string! type:string!
Node apiVersion:string kind:string metadata:meta/ObjectMeta spec:NodeSpec status:NodeStatus
NodeSpec configSource:NodeConfigSource externalID:string podCIDR:string podCIDRs:[string]@ providerID:string
  taints:[Taint] unschedulable:bool
NodeConfigSource configMap:ConfigMapNodeConfigSource
ConfigMapNodeConfigSource kubeletConfigKey:string! name:string! namespace:string! resourceVersion:string
  uid:string
Taint effect:string! key:string! timeAdded:time value:string
NodeStatus addresses:[NodeAddress]@type allocatable:{quantity} capacity:{quantity}
  conditions:[NodeCondition]@type config:NodeConfigStatus daemonEndpoints:NodeDaemonEndpoints
  declaredFeatures:[string] features:NodeFeatures images:[ContainerImage] nodeInfo:NodeSystemInfo phase:string
  runtimeHandlers:[NodeRuntimeHandler] volumesAttached:[AttachedVolume] volumesInUse:[string]
NodeAddress address:string! type:string!
NodeCondition lastHeartbeatTime:time lastTransitionTime:time message:string reason:string status:string!
  type:string!
NodeConfigStatus active:NodeConfigSource assigned:NodeConfigSource error:string lastKnownGood:NodeConfigSource
NodeDaemonEndpoints kubeletEndpoint:DaemonEndpoint
DaemonEndpoint Port:int32!
NodeFeatures supplementalGroupsPolicy:bool
ContainerImage names:[string] sizeBytes:int64
NodeSystemInfo architecture:string! bootID:string! containerRuntimeVersion:string! kernelVersion:string!
  kubeProxyVersion:string! kubeletVersion:string! machineID:string! operatingSystem:string! osImage:string!
  swap:NodeSwapStatus systemUUID:string!
NodeSwapStatus capacity:int64
NodeRuntimeHandler features:NodeRuntimeHandlerFeatures name:string
NodeRuntimeHandlerFeatures recursiveReadOnlyMounts:bool userNamespaces:bool
AttachedVolume devicePath:string! name:string!
Pod apiVersion:string kind:string metadata:meta/ObjectMeta spec:PodSpec status:PodStatus
PodSpec activeDeadlineSeconds:int64 affinity:Affinity automountServiceAccountToken:bool
  containers:[Container]!@name dnsConfig:PodDNSConfig dnsPolicy:string enableServiceLinks:bool
  ephemeralContainers:[EphemeralContainer]@name hostAliases:[HostAlias]@ip hostIPC:bool hostNetwork:bool
  hostPID:bool hostUsers:bool hostname:string hostnameOverride:string
  imagePullSecrets:[LocalObjectReference]@name initContainers:[Container]@name nodeName:string
  nodeSelector:{string} os:PodOS overhead:{quantity} preemptionPolicy:string priority:int32
  priorityClassName:string readinessGates:[PodReadinessGate] resourceClaims:[PodResourceClaim]@name
  resources:ResourceRequirements restartPolicy:string runtimeClassName:string schedulerName:string
  schedulingGates:[PodSchedulingGate]@name schedulingGroup:PodSchedulingGroup securityContext:PodSecurityContext
  serviceAccount:string serviceAccountName:string setHostnameAsFQDN:bool shareProcessNamespace:bool
  subdomain:string terminationGracePeriodSeconds:int64 tolerations:[Toleration]
  topologySpreadConstraints:[TopologySpreadConstraint]@topologyKey volumes:[Volume]@name
Affinity nodeAffinity:NodeAffinity podAffinity:PodAffinity podAntiAffinity:PodAntiAffinity
NodeAffinity preferredDuringSchedulingIgnoredDuringExecution:[PreferredSchedulingTerm]
  requiredDuringSchedulingIgnoredDuringExecution:NodeSelector
PreferredSchedulingTerm preference:NodeSelectorTerm! weight:int32!
NodeSelectorTerm matchExpressions:[NodeSelectorRequirement] matchFields:[NodeSelectorRequirement]
NodeSelectorRequirement key:string! operator:string! values:[string]
NodeSelector nodeSelectorTerms:[NodeSelectorTerm]!
PodAffinity preferredDuringSchedulingIgnoredDuringExecution:[WeightedPodAffinityTerm]
  requiredDuringSchedulingIgnoredDuringExecution:[PodAffinityTerm]
WeightedPodAffinityTerm podAffinityTerm:PodAffinityTerm! weight:int32!
PodAffinityTerm labelSelector:meta/LabelSelector matchLabelKeys:[string] mismatchLabelKeys:[string]
  namespaceSelector:meta/LabelSelector namespaces:[string] topologyKey:string!
PodAntiAffinity preferredDuringSchedulingIgnoredDuringExecution:[WeightedPodAffinityTerm]
  requiredDuringSchedulingIgnoredDuringExecution:[PodAffinityTerm]
Container args:[string] command:[string] env:[EnvVar]@name envFrom:[EnvFromSource] image:string
  imagePullPolicy:string lifecycle:Lifecycle livenessProbe:Probe name:string!
  ports:[ContainerPort]@containerPort readinessProbe:Probe resizePolicy:[ContainerResizePolicy]
  resources:ResourceRequirements restartPolicy:string restartPolicyRules:[ContainerRestartRule]
  securityContext:SecurityContext startupProbe:Probe stdin:bool stdinOnce:bool terminationMessagePath:string
  terminationMessagePolicy:string tty:bool volumeDevices:[VolumeDevice]@devicePath
  volumeMounts:[VolumeMount]@mountPath workingDir:string
EnvVar name:string! value:string valueFrom:EnvVarSource
EnvVarSource configMapKeyRef:ConfigMapKeySelector fieldRef:ObjectFieldSelector fileKeyRef:FileKeySelector
  resourceFieldRef:ResourceFieldSelector secretKeyRef:SecretKeySelector
ConfigMapKeySelector key:string! name:string optional:bool
ObjectFieldSelector apiVersion:string fieldPath:string!
FileKeySelector key:string! optional:bool path:string! volumeName:string!
ResourceFieldSelector containerName:string divisor:quantity resource:string!
SecretKeySelector key:string! name:string optional:bool
EnvFromSource configMapRef:ConfigMapEnvSource prefix:string secretRef:SecretEnvSource
ConfigMapEnvSource name:string optional:bool
SecretEnvSource name:string optional:bool
Lifecycle postStart:LifecycleHandler preStop:LifecycleHandler stopSignal:string
LifecycleHandler exec:ExecAction httpGet:HTTPGetAction sleep:SleepAction tcpSocket:TCPSocketAction
ExecAction command:[string]
HTTPGetAction host:string httpHeaders:[HTTPHeader] path:string port:intstr! scheme:string
HTTPHeader name:string! value:string!
SleepAction seconds:int64!
TCPSocketAction host:string port:intstr!
Probe exec:ExecAction failureThreshold:int32 grpc:GRPCAction httpGet:HTTPGetAction initialDelaySeconds:int32
  periodSeconds:int32 successThreshold:int32 tcpSocket:TCPSocketAction terminationGracePeriodSeconds:int64
  timeoutSeconds:int32
GRPCAction port:int32! service:string
ContainerPort containerPort:int32! hostIP:string hostPort:int32 name:string protocol:string
ContainerResizePolicy resourceName:string! restartPolicy:string!
ResourceRequirements claims:[ResourceClaim] limits:{quantity} requests:{quantity}
ResourceClaim name:string! request:string
ContainerRestartRule action:string! exitCodes:ContainerRestartRuleOnExitCodes
ContainerRestartRuleOnExitCodes operator:string! values:[int32]
SecurityContext allowPrivilegeEscalation:bool appArmorProfile:AppArmorProfile capabilities:Capabilities
  privileged:bool procMount:string readOnlyRootFilesystem:bool runAsGroup:int64 runAsNonRoot:bool
  runAsUser:int64 seLinuxOptions:SELinuxOptions seccompProfile:SeccompProfile
  windowsOptions:WindowsSecurityContextOptions
AppArmorProfile localhostProfile:string type:string!
Capabilities add:[string] drop:[string]
SELinuxOptions level:string role:string type:string user:string
SeccompProfile localhostProfile:string type:string!
WindowsSecurityContextOptions gmsaCredentialSpec:string gmsaCredentialSpecName:string hostProcess:bool
  runAsUserName:string
VolumeDevice devicePath:string! name:string!
VolumeMount mountPath:string! mountPropagation:string name:string! readOnly:bool recursiveReadOnly:string
  subPath:string subPathExpr:string
PodDNSConfig nameservers:[string] options:[PodDNSConfigOption] searches:[string]
PodDNSConfigOption name:string value:string
EphemeralContainer args:[string] command:[string] env:[EnvVar]@name envFrom:[EnvFromSource] image:string
  imagePullPolicy:string lifecycle:Lifecycle livenessProbe:Probe name:string!
  ports:[ContainerPort]@containerPort readinessProbe:Probe resizePolicy:[ContainerResizePolicy]
  resources:ResourceRequirements restartPolicy:string restartPolicyRules:[ContainerRestartRule]
  securityContext:SecurityContext startupProbe:Probe stdin:bool stdinOnce:bool targetContainerName:string
  terminationMessagePath:string terminationMessagePolicy:string tty:bool volumeDevices:[VolumeDevice]@devicePath
  volumeMounts:[VolumeMount]@mountPath workingDir:string
HostAlias hostnames:[string] ip:string!
LocalObjectReference name:string
PodOS name:string!
PodReadinessGate conditionType:string!
PodResourceClaim name:string! resourceClaimName:string resourceClaimTemplateName:string
PodSchedulingGate name:string!
PodSchedulingGroup podGroupName:string
PodSecurityContext appArmorProfile:AppArmorProfile fsGroup:int64 fsGroupChangePolicy:string runAsGroup:int64
  runAsNonRoot:bool runAsUser:int64 seLinuxChangePolicy:string seLinuxOptions:SELinuxOptions
  seccompProfile:SeccompProfile supplementalGroups:[int64] supplementalGroupsPolicy:string sysctls:[Sysctl]
  windowsOptions:WindowsSecurityContextOptions
Sysctl name:string! value:string!
Toleration effect:string key:string operator:string tolerationSeconds:int64 value:string
TopologySpreadConstraint labelSelector:meta/LabelSelector matchLabelKeys:[string] maxSkew:int32!
  minDomains:int32 nodeAffinityPolicy:string nodeTaintsPolicy:string topologyKey:string!
  whenUnsatisfiable:string!
Volume awsElasticBlockStore:AWSElasticBlockStoreVolumeSource azureDisk:AzureDiskVolumeSource
  azureFile:AzureFileVolumeSource cephfs:CephFSVolumeSource cinder:CinderVolumeSource
  configMap:ConfigMapVolumeSource csi:CSIVolumeSource downwardAPI:DownwardAPIVolumeSource
  emptyDir:EmptyDirVolumeSource ephemeral:EphemeralVolumeSource fc:FCVolumeSource flexVolume:FlexVolumeSource
  flocker:FlockerVolumeSource gcePersistentDisk:GCEPersistentDiskVolumeSource gitRepo:GitRepoVolumeSource
  glusterfs:GlusterfsVolumeSource hostPath:HostPathVolumeSource image:ImageVolumeSource iscsi:ISCSIVolumeSource
  name:string! nfs:NFSVolumeSource persistentVolumeClaim:PersistentVolumeClaimVolumeSource
  photonPersistentDisk:PhotonPersistentDiskVolumeSource portworxVolume:PortworxVolumeSource
  projected:ProjectedVolumeSource quobyte:QuobyteVolumeSource rbd:RBDVolumeSource scaleIO:ScaleIOVolumeSource
  secret:SecretVolumeSource storageos:StorageOSVolumeSource vsphereVolume:VsphereVirtualDiskVolumeSource
AWSElasticBlockStoreVolumeSource fsType:string partition:int32 readOnly:bool volumeID:string!
AzureDiskVolumeSource cachingMode:string diskName:string! diskURI:string! fsType:string kind:string
  readOnly:bool
AzureFileVolumeSource readOnly:bool secretName:string! shareName:string!
CephFSVolumeSource monitors:[string]! path:string readOnly:bool secretFile:string secretRef:LocalObjectReference
  user:string
CinderVolumeSource fsType:string readOnly:bool secretRef:LocalObjectReference volumeID:string!
ConfigMapVolumeSource defaultMode:int32 items:[KeyToPath] name:string optional:bool
KeyToPath key:string! mode:int32 path:string!
CSIVolumeSource driver:string! fsType:string nodePublishSecretRef:LocalObjectReference readOnly:bool
  volumeAttributes:{string}
DownwardAPIVolumeSource defaultMode:int32 items:[DownwardAPIVolumeFile]
DownwardAPIVolumeFile fieldRef:ObjectFieldSelector mode:int32 path:string!
  resourceFieldRef:ResourceFieldSelector
EmptyDirVolumeSource medium:string sizeLimit:quantity
EphemeralVolumeSource volumeClaimTemplate:any
FCVolumeSource fsType:string lun:int32 readOnly:bool targetWWNs:[string] wwids:[string]
FlexVolumeSource driver:string! fsType:string options:{string} readOnly:bool secretRef:LocalObjectReference
FlockerVolumeSource datasetName:string datasetUUID:string
GCEPersistentDiskVolumeSource fsType:string partition:int32 pdName:string! readOnly:bool
GitRepoVolumeSource directory:string repository:string! revision:string
GlusterfsVolumeSource endpoints:string! path:string! readOnly:bool
HostPathVolumeSource path:string! type:string
ImageVolumeSource pullPolicy:string reference:string
ISCSIVolumeSource chapAuthDiscovery:bool chapAuthSession:bool fsType:string initiatorName:string iqn:string!
  iscsiInterface:string lun:int32! portals:[string] readOnly:bool secretRef:LocalObjectReference
  targetPortal:string!
NFSVolumeSource path:string! readOnly:bool server:string!
PersistentVolumeClaimVolumeSource claimName:string! readOnly:bool
PhotonPersistentDiskVolumeSource fsType:string pdID:string!
PortworxVolumeSource fsType:string readOnly:bool volumeID:string!
ProjectedVolumeSource defaultMode:int32 sources:[VolumeProjection]
VolumeProjection clusterTrustBundle:ClusterTrustBundleProjection configMap:ConfigMapProjection
  downwardAPI:DownwardAPIProjection podCertificate:PodCertificateProjection secret:SecretProjection
  serviceAccountToken:ServiceAccountTokenProjection
ClusterTrustBundleProjection labelSelector:meta/LabelSelector name:string optional:bool path:string!
  signerName:string
ConfigMapProjection items:[KeyToPath] name:string optional:bool
DownwardAPIProjection items:[DownwardAPIVolumeFile]
PodCertificateProjection certificateChainPath:string credentialBundlePath:string keyPath:string keyType:string!
  maxExpirationSeconds:int32 signerName:string! userAnnotations:{string}
SecretProjection items:[KeyToPath] name:string optional:bool
ServiceAccountTokenProjection audience:string expirationSeconds:int64 path:string!
QuobyteVolumeSource group:string readOnly:bool registry:string! tenant:string user:string volume:string!
RBDVolumeSource fsType:string image:string! keyring:string monitors:[string]! pool:string readOnly:bool
  secretRef:LocalObjectReference user:string
ScaleIOVolumeSource fsType:string gateway:string! protectionDomain:string readOnly:bool
  secretRef:LocalObjectReference! sslEnabled:bool storageMode:string storagePool:string system:string!
  volumeName:string
SecretVolumeSource defaultMode:int32 items:[KeyToPath] optional:bool secretName:string
StorageOSVolumeSource fsType:string readOnly:bool secretRef:LocalObjectReference volumeName:string
  volumeNamespace:string
VsphereVirtualDiskVolumeSource fsType:string storagePolicyID:string storagePolicyName:string volumePath:string!
PodStatus allocatedResources:{quantity} conditions:[PodCondition]@type containerStatuses:[ContainerStatus]
  ephemeralContainerStatuses:[ContainerStatus] extendedResourceClaimStatus:PodExtendedResourceClaimStatus
  hostIP:string hostIPs:[HostIP]@ip initContainerStatuses:[ContainerStatus] message:string
  nodeAllocatableResourceClaimStatuses:[NodeAllocatableResourceClaimStatus] nominatedNodeName:string
  observedGeneration:int64 phase:string podIP:string podIPs:[PodIP]@ip qosClass:string reason:string
  resize:string resourceClaimStatuses:[PodResourceClaimStatus] resources:ResourceRequirements startTime:time
PodCondition lastProbeTime:time lastTransitionTime:time message:string observedGeneration:int64 reason:string
  status:string! type:string!
ContainerStatus allocatedResources:{quantity} allocatedResourcesStatus:[ResourceStatus] containerID:string
  image:string! imageID:string! lastState:ContainerState name:string! ready:bool! resources:ResourceRequirements
  restartCount:int32! started:bool state:ContainerState stopSignal:string user:ContainerUser
  volumeMounts:[VolumeMountStatus]@mountPath
ResourceStatus name:string! resources:[ResourceHealth]
ResourceHealth health:string message:string resourceID:string!
ContainerState running:ContainerStateRunning terminated:ContainerStateTerminated waiting:ContainerStateWaiting
ContainerStateRunning startedAt:time
ContainerStateTerminated containerID:string exitCode:int32! finishedAt:time message:string reason:string
  signal:int32 startedAt:time
ContainerStateWaiting message:string reason:string
ContainerUser linux:LinuxContainerUser
LinuxContainerUser gid:int64! supplementalGroups:[int64] uid:int64!
VolumeMountStatus mountPath:string! name:string! readOnly:bool recursiveReadOnly:string
  volumeStatus:VolumeStatus
VolumeStatus image:ImageVolumeStatus
ImageVolumeStatus imageRef:string!
PodExtendedResourceClaimStatus requestMappings:[ContainerExtendedResourceRequest]! resourceClaimName:string!
ContainerExtendedResourceRequest containerName:string! requestName:string! resourceName:string!
HostIP ip:string!
NodeAllocatableResourceClaimStatus containers:[string] resourceClaimName:string! resources:{string}!
PodIP ip:string!
PodResourceClaimStatus name:string! resourceClaimName:string
Service apiVersion:string kind:string metadata:meta/ObjectMeta spec:ServiceSpec status:ServiceStatus
ServiceSpec allocateLoadBalancerNodePorts:bool clusterIP:string clusterIPs:[string] externalIPs:[string]
  externalName:string externalTrafficPolicy:string healthCheckNodePort:int32 internalTrafficPolicy:string
  ipFamilies:[string] ipFamilyPolicy:string loadBalancerClass:string loadBalancerIP:string
  loadBalancerSourceRanges:[string] ports:[ServicePort]@port publishNotReadyAddresses:bool selector:{string}
  sessionAffinity:string sessionAffinityConfig:SessionAffinityConfig trafficDistribution:string type:string
ServicePort appProtocol:string name:string nodePort:int32 port:int32! protocol:string targetPort:intstr
SessionAffinityConfig clientIP:ClientIPConfig
ClientIPConfig timeoutSeconds:int32
ServiceStatus conditions:[meta/Condition]@type loadBalancer:LoadBalancerStatus
LoadBalancerStatus ingress:[LoadBalancerIngress]
LoadBalancerIngress hostname:string ip:string ipMode:string ports:[PortStatus]
PortStatus error:string port:int32! protocol:string!
Endpoints apiVersion:string kind:string metadata:meta/ObjectMeta subsets:[EndpointSubset]
EndpointSubset addresses:[EndpointAddress] notReadyAddresses:[EndpointAddress] ports:[EndpointPort]
EndpointAddress hostname:string ip:string! nodeName:string targetRef:ObjectReference
ObjectReference apiVersion:string fieldPath:string kind:string name:string namespace:string
  resourceVersion:string uid:string
EndpointPort appProtocol:string name:string port:int32! protocol:string
ConfigMap apiVersion:string binaryData:{bytes} data:{string} immutable:bool kind:string metadata:meta/ObjectMeta
Secret apiVersion:string data:{bytes} immutable:bool kind:string metadata:meta/ObjectMeta stringData:{string}
  type:string
ServiceAccount apiVersion:string automountServiceAccountToken:bool imagePullSecrets:[LocalObjectReference]@name
  kind:string metadata:meta/ObjectMeta secrets:[ObjectReference]@name
Event action:string apiVersion:string count:int32 eventTime:microtime firstTimestamp:time
  involvedObject:ObjectReference! kind:string lastTimestamp:time message:string metadata:meta/ObjectMeta!
  reason:string related:ObjectReference reportingComponent:string reportingInstance:string series:EventSeries
  source:EventSource type:string
EventSeries count:int32 lastObservedTime:microtime
EventSource component:string host:string
PodTemplateSpec metadata:meta/ObjectMeta spec:PodSpec
`;
