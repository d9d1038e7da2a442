/** Closed lists of values with the meaning the server's documentation gives each; shown by `kubectl explain`. */
export const ENUMS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  "core/ServiceSpec.externalTrafficPolicy": {
    Cluster: "routes traffic to all endpoints.",
    Local:
      "preserves the source IP of the traffic by routing only to endpoints on the same node as the traffic was received on (dropping the traffic if there are no local endpoints).",
  },
  "core/ServiceSpec.internalTrafficPolicy": {
    Cluster: "routes traffic to all endpoints.",
    Local:
      "routes traffic only to endpoints on the same node as the client pod (dropping the traffic if there are no local endpoints).",
  },
  "core/ServiceSpec.ipFamilyPolicy": {
    PreferDualStack:
      "indicates that this service prefers dual-stack when the cluster is configured for dual-stack. If the cluster is not configured for dual-stack the service will be assigned a single IPFamily. If the IPFamily is not set in service.spec.ipFamilies then the service will be assigned the default IPFamily configured on the cluster",
    RequireDualStack:
      "indicates that this service requires dual-stack. Using IPFamilyPolicyRequireDualStack on a single stack cluster will result in validation errors. The IPFamilies (and their order) assigned to this service is based on service.spec.ipFamilies. If service.spec.ipFamilies was not provided then it will be assigned according to how they are configured on the cluster. If service.spec.ipFamilies has only one entry then the alternative IPFamily will be added by apiserver",
    SingleStack:
      "indicates that this service is required to have a single IPFamily. The IPFamily assigned is based on the default IPFamily used by the cluster or as identified by service.spec.ipFamilies field",
  },
  "core/ServiceSpec.sessionAffinity": {
    ClientIP: "is the Client IP based.",
    None: "- no session affinity.",
  },
  "core/ServiceSpec.type": {
    ClusterIP: "means a service will only be accessible inside the cluster, via the cluster IP.",
    ExternalName:
      "means a service consists of only a reference to an external name that kubedns or equivalent will return as a CNAME record, with no exposing or proxying of any pods involved.",
    LoadBalancer:
      "means a service will be exposed via an external load balancer (if the cloud provider supports it), in addition to 'NodePort' type.",
    NodePort: "means a service will be exposed on one port of every node, in addition to 'ClusterIP' type.",
  },
  "core/ServicePort.protocol": {
    SCTP: "is the SCTP protocol.",
    TCP: "is the TCP protocol.",
    UDP: "is the UDP protocol.",
  },
  "core/ContainerPort.protocol": {
    SCTP: "is the SCTP protocol.",
    TCP: "is the TCP protocol.",
    UDP: "is the UDP protocol.",
  },
  "core/Container.imagePullPolicy": {
    Always: "means that kubelet always attempts to pull the latest image. Container will fail If the pull fails.",
    IfNotPresent:
      "means that kubelet pulls if the image isn't present on disk. Container will fail if the image isn't present and the pull fails.",
    Never:
      "means that kubelet never pulls an image, but only uses a local image. Container will fail if the image isn't present",
  },
  "core/PodSpec.restartPolicy": { Always: "", Never: "", OnFailure: "" },
  "apps/DeploymentStrategy.type": {
    Recreate: "Kill all existing pods before creating new ones.",
    RollingUpdate:
      "Replace the old ReplicaSets by new one using rolling update i.e gradually scale down the old ReplicaSets and scale up the new one.",
  },
  "apps/DaemonSetUpdateStrategy.type": {
    OnDelete: "Replace the old daemons only when it's killed",
    RollingUpdate:
      "Replace the old daemons by new ones using rolling update i.e replace them on each node one after the other.",
  },
};
