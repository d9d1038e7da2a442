import type { AdmissionKind } from "#core/configuration/admission";

/** Where the API server finds the webhook of each kind: upstream's paths (metallb.md 4.4), and ours by the same rule. */
export const WEBHOOK_PATHS: Readonly<Record<string, AdmissionKind>> = {
  "/validate-metallb-io-v1beta1-ipaddresspool": "IPAddressPool",
  "/validate-metallb-io-v1beta1-l2advertisement": "L2Advertisement",
  "/validate-metallb-io-v1beta1-bgpadvertisement": "BGPAdvertisement",
  "/validate-metallb-io-v1beta1-community": "Community",
  "/validate-metallb-io-v1beta1-bfdprofile": "BFDProfile",
  "/validate-metallb-io-v1beta2-bgppeer": "BGPPeer",
  "/validate-berth-dev-v1alpha1-addresshold": "AddressHold",
};
