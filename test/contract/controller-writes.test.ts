import { expect, it } from "vitest";
import { countedWrites } from "../support/kubernetes-api.ts";

it("counts the writes in a real server's metrics, whatever the order of labels", () => {
  const text = [
    "# TYPE apiserver_request_total counter",
    'apiserver_request_total{code="200",component="apiserver",dry_run="",group="",resource="services",scope="resource",subresource="status",verb="PATCH",version="v1"} 7',
    'apiserver_request_total{verb="POST",resource="services",code="201"} 2',
    'apiserver_request_total{code="200",resource="services",verb="LIST"} 40',
    'apiserver_request_total{code="200",resource="leases",verb="PUT"} 9',
    'apiserver_request_total_other{code="200",resource="services",verb="PUT"} 9',
  ].join("\n");
  expect(countedWrites(text, ["services", "events"])).toBe(9);
});
