import { join } from "node:path";
import { expect, test } from "vitest";
import { cliReference } from "./reference.ts";

test("docs/cli.md says what --help says", async () => {
  await expect(await cliReference()).toMatchFileSnapshot(join(import.meta.dirname, "../../../docs/cli.md"));
});
