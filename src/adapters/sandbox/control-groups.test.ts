import { existsSync } from "node:fs";
import { expect, test } from "vitest";
import { openControlGroups, placesFor } from "./control-groups.ts";

test("on version 1 a group is made below our own, in each tree", () => {
  const cgroup = "4:memory:/service/a\n8:pids:/\n9:name=systemd:/\n0::/\n";
  const mountinfo = [
    "30 24 0:26 / /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory",
    "31 24 0:27 / /sys/fs/cgroup/pids rw,relatime - cgroup cgroup rw,pids",
  ].join("\n");
  expect(placesFor(cgroup, mountinfo)).toEqual([
    { version: 1, controller: "memory", parents: ["/sys/fs/cgroup/memory/service/a"] },
    { version: 1, controller: "pids", parents: ["/sys/fs/cgroup/pids"] },
  ]);
});

test("in a container the mount shows only a part of the tree", () => {
  const mountinfo = "30 24 0:26 /docker/abc /sys/fs/cgroup/memory ro - cgroup cgroup rw,memory";
  expect(placesFor("4:memory:/docker/abc\n", mountinfo)).toEqual([
    { version: 1, controller: "memory", parents: ["/sys/fs/cgroup/memory"] },
  ]);
});

test("on version 2 a group may be made next to us or further up, nearest first", () => {
  const cgroup = "0::/user.slice/user@1000.service/app.slice/run.scope\n";
  const mountinfo = "30 24 0:26 / /sys/fs/cgroup rw,nosuid - cgroup2 cgroup2 rw";
  expect(placesFor(cgroup, mountinfo)).toEqual([
    {
      version: 2,
      controller: null,
      parents: [
        "/sys/fs/cgroup/user.slice/user@1000.service/app.slice/run.scope",
        "/sys/fs/cgroup/user.slice/user@1000.service/app.slice",
        "/sys/fs/cgroup/user.slice/user@1000.service",
        "/sys/fs/cgroup/user.slice",
        "/sys/fs/cgroup",
      ],
    },
  ]);
});

test("without control groups there is no place", () => expect(placesFor("", "")).toEqual([]));

test.skipIf(process.platform !== "linux")(
  "groups are made where this user may, each for one command, and are gone again (needs Linux)",
  async () => {
    const limits = { memoryBytes: 64 * 1024 ** 2, processes: 10 };
    const [one, two] = [openControlGroups(limits), openControlGroups(limits)];
    try {
      const all = [...one.directories, ...two.directories];
      expect([new Set(all).size, all.filter((path) => !existsSync(path))]).toEqual([all.length, []]);
      // This process is in no group of a command, and a process that is not there is in none at all.
      expect([one.holdsMemoryOf(process.pid), one.holdsMemoryOf(2 ** 30)]).toEqual([false, false]);
    } finally {
      await one.remove();
      await two.remove();
    }
    expect([...one.directories, ...two.directories].filter((path) => existsSync(path))).toEqual([]);
    expect([one.memoryKills(), two.memoryKills()]).toEqual([0, 0]);
  },
);
