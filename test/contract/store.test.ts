import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { auditStore } from "../../src/adapters/store/audit.ts";
import { openStore } from "../../src/adapters/store/open.ts";
import { seal } from "../../src/adapters/store/seal.ts";
import type { Store } from "../../src/ports/store.ts";
import { behindTheBack } from "../attacks/behind-the-back.ts";
import { type StoreUnderTest, storeContract } from "./store-contract.ts";

storeContract("SQLite", async (): Promise<StoreUnderTest> => {
  const home = await mkdtemp(join(tmpdir(), "agentos-store-"));
  let commits = 0;
  const open = (): Promise<Store> =>
    openStore({
      home,
      now: () => 0,
      onCommit: () => {
        commits += 1;
      },
    });
  const store = await open();
  let current = store;
  let wasEdited = false;
  return {
    store,
    seal,
    commits: () => commits,
    async reopen() {
      await current.close();
      current = await open();
      return current;
    },
    async edit(statement) {
      wasEdited = true;
      behindTheBack(home, (sql) => {
        if (sql.prepare(statement).run().changes !== 1) throw new Error(`it does not change one row: ${statement}`);
      });
    },
    async dispose() {
      await current.close();
      // Whatever a test did: a journal that was only written through the store has nothing to find.
      const { findings } = await auditStore(home, { seal });
      await rm(home, { recursive: true, force: true });
      if (findings.length > 0 && !wasEdited) throw new Error(JSON.stringify(findings, null, 2));
    },
  };
});
