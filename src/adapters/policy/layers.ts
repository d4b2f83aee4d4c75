import { createHash } from "node:crypto";
import { chmodSync, closeSync, fsyncSync, openSync, readFileSync, renameSync, statSync, writeSync } from "node:fs";
import { dirname } from "node:path";
import { Failure } from "../../domain/failure.ts";
import { policyStream, streamKind, USER_POLICY } from "../../domain/stream.ts";
import type { PolicyLayer, UserPolicyFile } from "../../ports/policy.ts";
import type { Store } from "../../ports/store.ts";
import type { LayersOf } from "./cedar-policy.ts";

/** Policies are read by people; what is larger is none. */
const BYTES_MAX = 1024 ** 2;

/** `policy.cedar` of the data directory: a person's own policies. Nothing confined sees the directory it lies in. */
export function userPolicyFile(path: string): UserPolicyFile {
  return {
    stamp: () => {
      const found = statSync(path, { throwIfNoEntry: false });
      return found === undefined ? null : `${found.ino} ${found.size} ${found.mtimeMs} ${found.mode} ${found.uid}`;
    },
    read: () => {
      try {
        const { uid, mode, size } = statSync(path);
        if ((mode & 0o022) !== 0 || (process.getuid !== undefined && uid !== process.getuid() && uid !== 0))
          throw unreadable(`others may write ${path}`, `chmod go-w ${path}`);
        if (size > BYTES_MAX) throw unreadable(`${path} has ${size} bytes; a policy file may have ${BYTES_MAX}`);
        return new TextDecoder("utf-8", { fatal: true }).decode(readFileSync(path));
      } catch (error) {
        if (error instanceof Failure) throw error;
        if (error instanceof TypeError) throw unreadable(`${path} is no UTF-8 text`);
        if (error instanceof Error && "code" in error)
          throw unreadable(`${path} cannot be read (${String(error.code)})`);
        throw error;
      }
    },
    write: (text) => {
      const file = openSync(`${path}.new`, "w", 0o600);
      try {
        writeSync(file, text);
        fsyncSync(file);
      } finally {
        closeSync(file);
      }
      chmodSync(`${path}.new`, 0o600);
      renameSync(`${path}.new`, path);
      const directory = openSync(dirname(path), "r");
      fsyncSync(directory);
      closeSync(directory);
    },
  };
}

const unreadable = (why: string, next?: string): Failure =>
  new Failure("policy/invalid", `user policy: ${why}`, {
    facts: { layer: "user" },
    ...(next !== undefined && { next }),
  });

/**
 * The layers in force: the person's file as it is at that moment, and what was set for the project. The same list is given again while
 * neither changed. A permit in the file counts where a recorded act granted exactly this text.
 */
export function standingLayers(store: Pick<Store, "latest" | "get" | "onAppended">, file: UserPolicyFile): LayersOf {
  let lists = new Map<string, readonly PolicyLayer[]>();
  let stamp: string | null | undefined;
  store.onAppended(({ stream }) => {
    if (streamKind(stream) === "policy") lists = new Map();
  });

  const latest = async (scope: string): Promise<{ text: string; sha256: string; granted: boolean } | null> => {
    const found = await store.latest(policyStream(scope), ["POLICY_SET"]);
    if (found?.event.type !== "POLICY_SET") return null;
    const { text, sha256, granted: grant } = found.event.body;
    const bytes = await store.get(text);
    if (bytes === null || sha256Of(bytes) !== sha256)
      throw new Failure("policy/invalid", "project policy: what was set is gone from the store", {
        facts: { layer: "project" },
      });
    return { text: new TextDecoder().decode(bytes), sha256, granted: grant };
  };

  return async (project) => {
    const now = file.stamp();
    if (now !== stamp) {
      lists = new Map();
      stamp = now;
    }
    const known = lists.get(project ?? "");
    if (known !== undefined) return known;
    const layers: PolicyLayer[] = [];
    if (now !== null) {
      const text = file.read();
      const sha256 = sha256Of(new TextEncoder().encode(text));
      const recorded = await latest(USER_POLICY);
      layers.push({ name: "user", text, granted: recorded?.sha256 === sha256 && recorded.granted });
    }
    const own = project === null ? null : await latest(project);
    if (own !== null && own.text !== "") layers.push({ name: "project", text: own.text, granted: own.granted });
    lists.set(project ?? "", layers);
    return layers;
  };
}

const sha256Of = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");
