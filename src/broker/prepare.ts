import { Failure } from "../domain/failure.ts";
import { DEPENDENCIES_INSIDE, type PrepareDefinition } from "../domain/gate.ts";
import { pinned } from "../domain/pin.ts";
import { type Desk, type LayerMount, mountOf } from "../ports/broker.ts";
import type { Layer } from "../ports/layers.ts";
import { confine, insideOf, toolPathOf, workspaceOf } from "./confine.ts";
import { type BrokerDependencies, type Pass, plainly } from "./deps.ts";

/**
 * The dependency layer of a repo at a commit: found by its key, or made in a checkout of that commit with the package hosts open and
 * nothing else. Without a lock file the key holds the task, so that no other task takes it for the same.
 */
export async function prepareLayer(
  deps: BrokerDependencies,
  desk: Desk,
  pass: Pass,
  definition: PrepareDefinition,
  commit: string,
  on: string,
): Promise<LayerMount> {
  const workspace = workspaceOf(desk, definition.repo);
  const inputs = [];
  for (const part of definition.inputs) {
    const text = await deps.workspaces.textAt(workspace, commit, part.path);
    inputs.push(pinned(part, text, deps.seal, (content) => deps.digest(new TextEncoder().encode(content))));
  }
  const key = deps.seal({
    argv: definition.argv,
    cwd: definition.cwd,
    environment: definition.environment,
    ...(definition.stores.length === 0 ? {} : { stores: definition.stores }),
    ...(Object.keys(definition.provides).length === 0 ? {} : { provides: definition.provides }),
    inputs,
    platform: deps.platform(),
    toolchain: await deps.toolchain(toolPathOf(desk, definition.repo), definition.argv[0] ?? ""),
    only: definition.reproducible ? null : { task: desk.task, commit },
  }).sha256;

  let why = "it did not finish";
  const layer = (await pass(
    { prepare: { repo: definition.repo, key, on } },
    plainly({
      kind: "prepare",
      repo: definition.repo,
      id: definition.id,
      on,
      key,
      argv: definition.argv,
      hosts: definition.hosts,
    }),
    // Two tasks that need the same layer at once: the second waits, and finds it.
    (run) =>
      deps.layers.alone(key, run.signal, async () => {
        const there = await deps.layers.find(key);
        if (there !== null)
          return {
            evidence: [evidenceOf(definition.repo, there, true)],
            touched: [],
            result: there,
            failed: null,
            blobs: [],
          };
        await deps.layers.discard(key);
        const name = `prepare-${run.step}`;
        const checkout = await deps.workspaces.gateCheckout(workspace, commit, name);
        const stores = definition.stores.length === 0 ? null : await deps.reportDirectory(desk.task, run.step, run.run);
        try {
          const ran = await confine(deps, desk, run, {
            repo: definition.repo,
            argv: definition.argv,
            cwd: definition.cwd,
            mounts: [
              { host: checkout.path, inside: insideOf(definition.repo), access: "write" },
              ...(stores === null ? [] : [{ host: stores, inside: DEPENDENCIES_INSIDE, access: "write" } as const]),
            ],
            scratches: [],
            environment: { ...definition.provides, ...definition.environment },
            network: definition.hosts,
            timeoutMs: desk.spec.limits.stepMs,
          });
          if (ran.outcome.exitCode !== 0) {
            // What the installer said may hold anything; it lies in the evidence as output, and the journal's own words stay plain.
            why = `${definition.argv.join(" ")} ${ran.outcome.endedBy === "itself" ? `exited with ${ran.outcome.exitCode}` : `was ended by the limit on ${ran.outcome.endedBy}`}`;
            return { evidence: ran.evidence, touched: [], result: null, failed: why, blobs: ran.blobs };
          }
          const made = await deps.layers.adopt(
            key,
            checkout.path,
            definition.outputs,
            stores === null ? undefined : { directory: stores, names: definition.stores },
          );
          return {
            evidence: [...ran.evidence, evidenceOf(definition.repo, made, false)],
            touched: [],
            result: made,
            failed: null,
            blobs: ran.blobs,
          };
        } finally {
          await deps.workspaces.dropGateCheckout(workspace, name);
        }
      }),
  )) as Layer | null;
  if (layer === null) throw new Failure("agent/failed", `${definition.repo}: ${why}`);
  return mountOf(layer.key, definition);
}

const evidenceOf = (repo: string, layer: Layer, reused: boolean) =>
  ({ kind: "layer", repo, key: layer.key, files: layer.files, listing: layer.listing, reused }) as const;
