import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { gitWorkspaces } from "../../src/adapters/git/workspaces.ts";
import type { Figure, Ratio } from "../bench.ts";
import { type Bench, ratio, rounds, took } from "../bench.ts";
import { git } from "../place.ts";

const SIZES = {
  usual: [
    { files: 1_000, rounds: 5 },
    { files: 50_000, rounds: 2 },
  ],
  tiny: [{ files: 20, rounds: 1 }],
} as const;

/** A task's own clone and working directory, and the id of all that is in it, beside what git itself needs for the same. */
export const workspaces: Bench = {
  name: "workspaces",
  about: "the clone and checkout of a task, and the id of the whole working directory, beside plain git",
  async run(size, place) {
    const figures: Figure[] = [];
    const ratios: Ratio[] = [];
    for (const { files, rounds: count } of SIZES[size]) {
      const repository = place.repository(files);
      const base = git(repository, "rev-parse", "HEAD");
      const ms = { clone: [], made: [], status: [], same: [], changed: [] } as Record<string, number[]>;
      const ours = gitWorkspaces({ home: place.directory("home"), owner: null });
      for (const round of rounds(count)) {
        const plain = join(place.directory("plain"), "app");
        ms["clone"]?.push(await took(async () => void execFileSync("git", ["clone", "--quiet", repository, plain])));
        const workspace = { task: `T${files}R${round}`, repo: "app", epoch: 1 };
        ms["made"]?.push(
          await took(async () => {
            await ours.adopt(workspace, repository, base, false);
            await ours.checkout(workspace, base);
          }),
        );
        await ours.snapshot(workspace, []);
        ms["status"]?.push(await took(async () => void git(plain, "status", "--porcelain")));
        ms["same"]?.push(await took(() => ours.snapshot(workspace, [])));
        writeFileSync(join(ours.path(workspace), "a.txt"), `round ${round}\n`);
        ms["changed"]?.push(await took(() => ours.snapshot(workspace, [])));
      }
      const { clone = [], made = [], status = [], same = [], changed = [] } = ms;
      const of = `${files.toLocaleString("en-US")} files`;
      figures.push(
        { name: `${of}: git clone`, unit: "ms", values: clone },
        { name: `${of}: workspace`, unit: "ms", values: made },
        { name: `${of}: git status`, unit: "ms", values: status },
        { name: `${of}: snapshot, nothing changed`, unit: "ms", values: same },
        { name: `${of}: snapshot, one file changed`, unit: "ms", values: changed },
      );
      ratios.push(
        ratio(`${of}: workspace / git clone`, made, clone),
        ratio(`${of}: snapshot of one change / git status`, changed, status),
      );
    }
    return { figures, ratios };
  },
};
