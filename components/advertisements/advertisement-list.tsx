"use client";

import { useState } from "react";
import type { AdvertisementRow } from "#api/dashboard/advertisements";
import type { PoolRow } from "#api/dashboard/pools";
import { problemIn, useCreateAdvertisement, useDeleteAdvertisement } from "#client/actions";
import { useRows } from "#client/queries";
import { path } from "#client/request";
import { AdvertisementDialog } from "#components/advertisements/advertisement-dialog";
import { Dialog } from "#components/ui/dialog";
import { FormProblem } from "#components/ui/field";
import { NodeName } from "#components/ui/hull";
import { Glyph, Icon } from "#components/ui/icon";
import { Status } from "#components/ui/status";
import { Table, Td, Th, Tr } from "#components/ui/table";
import { Yaml } from "#components/ui/yaml";

type Open =
  | { readonly kind: "new" }
  | { readonly kind: "edit" | "yaml" | "delete"; readonly row: AdvertisementRow }
  | null;

/** Who announces this pool; a pool that nobody announces gets an advertisement with one click. */
export function AdvertisementList({ pool }: { readonly pool: PoolRow }) {
  const all = useRows("advertisements").data ?? [];
  const nodes = useRows("nodes").data ?? [];
  const [open, setOpen] = useState<Open>(null);
  const rows = [...all].sort(
    (a, b) => Number(b.covers.includes(pool.name)) - Number(a.covers.includes(pool.name)) || (a.name < b.name ? -1 : 1),
  );
  const covered = pool.advertisedBy.length > 0 || rows.some((row) => row.covers.includes(pool.name));
  return (
    <div className="body stackv">
      {covered ? null : <Uncovered pool={pool} names={all.map((row) => row.name)} />}
      {rows.length === 0 ? null : (
        <Table
          label="L2 advertisements"
          className="tight plain"
          head={
            <>
              <Th>Advertisement</Th>
              <Th>{`Covers ${pool.name}`}</Th>
              <Th>Pools</Th>
              <Th>Nodes</Th>
              <Th className="t-hide">Interfaces</Th>
              <Th className="num">Actions</Th>
            </>
          }
        >
          {rows.map((row) => (
            <Tr key={row.name}>
              <Td className="lead">
                <span className="name">{row.name}</span> <span className="t3">L2</span>
                {row.findings.map((finding) => (
                  <span
                    key={finding.message}
                    className={`st ${finding.severity === "error" ? "failed" : "warning"} inline`}
                    title={`${finding.message}. ${finding.fix}`}
                  >
                    <Glyph name={finding.severity === "error" ? "failed" : "warning"} />
                    {finding.message}
                  </span>
                ))}
              </Td>
              <Td className="end">
                {row.covers.includes(pool.name) ? (
                  <Status tone="ready">Covers it</Status>
                ) : (
                  <span className="t3">no</span>
                )}
              </Td>
              <Td className="full">
                <span className="mono clip" title={row.covers.join(", ")}>
                  {row.covers.length === 0 ? "none" : row.covers.join(", ")}
                </span>
              </Td>
              <Td className="full">
                {row.nodes.length === 0 ? (
                  <NodeName name={null} />
                ) : row.nodes.length === nodes.length ? (
                  <span className="t2">{`all ${nodes.length}`}</span>
                ) : (
                  <span className="hulls">
                    {row.nodes.map((node) => (
                      <NodeName key={node} name={node} />
                    ))}
                  </span>
                )}
              </Td>
              <Td className="m-hide t-hide mono">{row.interfaces.length === 0 ? "all" : row.interfaces.join(", ")}</Td>
              <Td className="end num">
                <button
                  className="icb s"
                  type="button"
                  aria-label={`Edit ${row.name}`}
                  title="Edit"
                  onClick={() => setOpen({ kind: "edit", row })}
                >
                  <Icon name="edit" />
                </button>
                <button
                  className="icb s"
                  type="button"
                  aria-label={`YAML of ${row.name}`}
                  title="YAML"
                  onClick={() => setOpen({ kind: "yaml", row })}
                >
                  <Icon name="log" />
                </button>
                <button
                  className="icb s"
                  type="button"
                  aria-label={`Delete ${row.name}`}
                  title="Delete"
                  onClick={() => setOpen({ kind: "delete", row })}
                >
                  <Icon name="trash" />
                </button>
              </Td>
            </Tr>
          ))}
        </Table>
      )}
      <p>
        <button className="btn s" type="button" onClick={() => setOpen({ kind: "new" })}>
          <Icon name="plus" />
          New advertisement
        </button>
      </p>
      {open === null ? null : open.kind === "new" || open.kind === "edit" ? (
        <AdvertisementDialog
          row={open.kind === "edit" ? open.row : null}
          pool={pool.name}
          onClose={() => setOpen(null)}
        />
      ) : open.kind === "yaml" ? (
        <Dialog title={`L2Advertisement ${open.row.name}`} onClose={() => setOpen(null)}>
          <div className="dialog-body">
            <Yaml
              url={path("api", "l2advertisements", open.row.name)}
              version={open.row.resourceVersion}
              label={`advertisement ${open.row.name}`}
            />
          </div>
        </Dialog>
      ) : (
        <DeleteAdvertisement row={open.row} onClose={() => setOpen(null)} />
      )}
    </div>
  );
}

/** Red, with the fix in place. */
function Uncovered({ pool, names }: { readonly pool: PoolRow; readonly names: readonly string[] }) {
  const create = useCreateAdvertisement();
  const name = names.includes(pool.name) ? `${pool.name}-l2` : pool.name;
  return (
    <div className="uncovered">
      <p className="st failed">
        <Glyph name="failed" />
        {`Nobody announces ${pool.name}: its addresses can be assigned, but nothing answers for them`}
      </p>
      <button
        className="btn s pri"
        type="button"
        disabled={create.isPending}
        onClick={() => create.mutate({ name, ipAddressPools: [pool.name] })}
      >
        Advertise on every node
      </button>
      <FormProblem message={problemIn(create)?.message ?? null} />
    </div>
  );
}

function DeleteAdvertisement({ row, onClose }: { readonly row: AdvertisementRow; readonly onClose: () => void }) {
  const remove = useDeleteAdvertisement();
  const all = useRows("advertisements").data ?? [];
  const silent = row.covers.filter(
    (pool) => !all.some((other) => other.name !== row.name && other.covers.includes(pool)),
  );
  const act = async () => {
    try {
      await remove.mutateAsync(row.name);
      onClose();
    } catch {
      // Shown above the buttons.
    }
  };
  return (
    <Dialog title={`Delete advertisement ${row.name}`} onClose={onClose}>
      <div className="dialog-body">
        <p>
          {silent.length === 0
            ? "Every pool it covers is covered by another advertisement too."
            : `Nobody would announce ${silent.join(", ")} any more: ${silent.length === 1 ? "its" : "their"} addresses stay assigned but stop answering.`}
        </p>
        <FormProblem message={problemIn(remove)?.message ?? null} />
      </div>
      <div className="dialog-foot">
        <button className="btn" type="button" onClick={onClose}>
          Keep it
        </button>
        <button className="btn stop" type="button" disabled={remove.isPending} onClick={() => void act()}>
          {`Delete ${row.name}`}
        </button>
      </div>
    </Dialog>
  );
}
