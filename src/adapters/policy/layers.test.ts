import { createHash } from "node:crypto";
import { chmodSync, mkdirSync, mkdtempSync, rmSync, statSync, truncateSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { BlobRef } from "../../domain/blob.ts";
import type { PolicyEvent, Recorded } from "../../domain/event.ts";
import { policyStream, USER_POLICY } from "../../domain/stream.ts";
import type { UserPolicyFile } from "../../ports/policy.ts";
import type { Positioned } from "../../ports/store.ts";
import { standingLayers, userPolicyFile } from "./layers.ts";

const FORBID = "forbid(principal, action, resource);\n";

describe("a person's policy file", () => {
  let path: string;
  let file: UserPolicyFile;
  beforeEach(() => {
    path = join(mkdtempSync(join(tmpdir(), "agentos-policy-")), "policy.cedar");
    file = userPolicyFile(path);
  });
  afterEach(() => rmSync(join(path, ".."), { recursive: true, force: true }));

  test("is not there until it is written, whole and for its owner alone", () => {
    expect(file.stamp()).toBe(null);
    file.write(FORBID);
    const first = file.stamp();
    expect([file.read(), statSync(path).mode & 0o777]).toEqual([FORBID, 0o600]);
    file.write("");
    expect([file.read(), file.stamp() === first]).toEqual(["", false]);
  });

  test("has another stamp once it was changed, also with the same size and time", () => {
    file.write(FORBID);
    const { atime, mtime } = statSync(path);
    const before = file.stamp();
    file.write(FORBID.replace("forbid", "permit"));
    utimesSync(path, atime, mtime);
    expect(file.stamp()).not.toBe(before);
  });

  test.each<[string, () => void, string, string | null]>([
    ["others may write", () => chmodSync(path, 0o622), "others may write PATH", "chmod go-w PATH"],
    [
      "is too large",
      () => truncateSync(path, 1024 ** 2 + 1),
      "PATH has 1048577 bytes; a policy file may have 1048576",
      null,
    ],
    ["is no text", () => writeFileSync(path, Buffer.of(0x66, 0xff)), "PATH is no UTF-8 text", null],
    ["is gone", () => rmSync(path), "PATH cannot be read (ENOENT)", null],
    [
      "is a directory",
      () => {
        rmSync(path);
        mkdirSync(path, 0o755);
      },
      "PATH cannot be read (EISDIR)",
      null,
    ],
  ])("that %s is invalid, and it is said why", (_, make, why, next) => {
    file.write(FORBID);
    make();
    const at = (text: string): string => text.replaceAll("PATH", path);
    expect(() => file.read()).toThrow(
      expect.objectContaining({
        code: "policy/invalid",
        message: `user policy: ${at(why)}`,
        facts: { layer: "user" },
        next: next === null ? null : at(next),
      }),
    );
  });
});

describe("the layers in force", () => {
  const sha256 = (text: string): string => createHash("sha256").update(text).digest("hex");
  const ref = (text: string): BlobRef => ({ digest: sha256(text), bytes: Buffer.byteLength(text) });

  /** A journal that knows nothing but what was set, by scope, and the texts that are still there. */
  function journal() {
    const set = new Map<string, PolicyEvent>();
    const texts = new Map<string, Uint8Array>();
    const listeners: ((appended: Positioned) => void)[] = [];
    const recorded = (event: PolicyEvent): Recorded => ({
      seq: 1,
      atMs: 0,
      actor: { kind: "person", name: "ada" },
      event,
    });
    return {
      texts,
      set(scope: string, text: string, granted: boolean): void {
        const event: PolicyEvent = { type: "POLICY_SET", body: { text: ref(text), sha256: sha256(text), granted } };
        set.set(policyStream(scope), event);
        texts.set(sha256(text), new TextEncoder().encode(text));
        for (const tell of listeners) tell({ position: 1, stream: policyStream(scope), recorded: recorded(event) });
      },
      store: {
        latest: async (stream: string) => {
          const event = set.get(stream);
          return event === undefined ? null : recorded(event);
        },
        get: async ({ digest }: BlobRef) => texts.get(digest) ?? null,
        onAppended: (listener: (appended: Positioned) => void) => {
          listeners.push(listener);
          return () => undefined;
        },
      },
    };
  }

  /** A file whose content a test says; null: none. */
  function fileOf(text: string | null) {
    const file = { text, stamp: () => file.text, read: () => file.text ?? "", write: () => undefined };
    return file;
  }

  test("are the person's file as it is and what was set for the project, the same list while neither changes", async () => {
    const { store, set } = journal();
    const file = fileOf(FORBID);
    const layersOf = standingLayers(store, file);
    expect(await layersOf(null)).toEqual([{ name: "user", text: FORBID, granted: false }]);
    set("p1", "permit(principal, action, resource);", true);
    const both = await layersOf("p1");
    expect(both).toEqual([
      { name: "user", text: FORBID, granted: false },
      { name: "project", text: "permit(principal, action, resource);", granted: true },
    ]);
    expect(await layersOf("p1")).toBe(both);
    file.text = null;
    set("p1", "", false);
    expect(await layersOf("p1")).toEqual([]);
  });

  test("count a permit in the person's file while it is exactly the text that was granted", async () => {
    const { store, set } = journal();
    const file = fileOf(FORBID);
    const layersOf = standingLayers(store, file);
    set(USER_POLICY, FORBID, true);
    expect(await layersOf(null)).toEqual([{ name: "user", text: FORBID, granted: true }]);
    file.text = `${FORBID}\n`;
    expect(await layersOf(null)).toEqual([{ name: "user", text: `${FORBID}\n`, granted: false }]);
  });

  test.each<[string, (texts: Map<string, Uint8Array>) => void]>([
    ["is gone", (texts) => texts.clear()],
    [
      "is another text by now",
      (texts) => texts.set(sha256(FORBID), Buffer.from("permit(principal, action, resource);")),
    ],
  ])("are none, and that is said, when what was set for the project %s", async (_, lose) => {
    const { store, set, texts } = journal();
    set("p1", FORBID, false);
    lose(texts);
    await expect(standingLayers(store, fileOf(null))("p1")).rejects.toMatchObject({
      code: "policy/invalid",
      message: "project policy: what was set is gone from the store",
      facts: { layer: "project" },
    });
  });
});
