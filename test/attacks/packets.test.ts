import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { git, MEND_SUM, sampleRepo, temporaryDirectory, toolPath } from "../support/daemon.ts";
import { program } from "../support/programs.ts";

/*
 * N10: from a red test to a delivered change, AgentOS sends nothing to anywhere but this machine. The kernel
 * counts: the whole journey runs in a network namespace with a link to nowhere as its default route, and what leaves by it, or wants to
 * leave and finds no route, is in the namespace's own counters.
 */

/** A person at a shell. */
const SHELL = `
a() { '${process.execPath}' '${program("product", "cli")}' "$@" 2>> "$TMPDIR/said"; }
cd "$REPOSITORY"
`;
const DELIVERED = `
{ a task show "$id" && a task trace "$id" && a task deliver "$id" && a audit verify; } >> "$TMPDIR/said"
code=$?
a daemon stop >> "$TMPDIR/said"
`;

/** From a red test to a delivered, proven change, by a plan that the person wrote. */
const BY_SCRIPT = `${SHELL}
printf '%s' '${JSON.stringify(MEND_SUM)}' > "$TMPDIR/mend.yaml"
id=$(a task create 'Make it add' --plan "$TMPDIR/mend.yaml" --mode autonomous --wait --quiet)
${DELIVERED}`;

/** The same said in words: a model on this machine is configured, plans, is approved, and works. */
const BY_LOCAL_MODEL = `${SHELL}
'${process.execPath}' '${join(import.meta.dirname, "local-model.ts")}' > "$TMPDIR/port" 2>> "$TMPDIR/said" &
model=$!
until [ -s "$TMPDIR/port" ]; do kill -0 $model || exit 9; sleep 0.05; done
{
  a provider add here --kind openai-compatible --url "http://127.0.0.1:$(cat "$TMPDIR/port")/v1"
  a model policy set any here/scripted
} >> "$TMPDIR/said"
id=$(a task create 'Make it add' --agent builtin --wait --quiet)
a task approve "$id" --yes --wait >> "$TMPDIR/said"
${DELIVERED}
kill $model
`;

/** Packets that left by the link, and packets of either family that found no route. */
const COUNT = `
count() {
  away=$(awk '$1 == "away:" { print $11 }' /proc/net/dev)
  four=$(awk '$1 == "Ip:" && !head { for (i = 1; i <= NF; i++) if ($i == "OutNoRoutes") at = i; head = 1; next } $1 == "Ip:" { print $at }' /proc/net/snmp)
  six=$(awk '$1 == "Ip6OutNoRoutes" { print $2 }' /proc/net/snmp6)
  echo "count $((away + four + \${six:-0}))"
}
set -e
ip link set lo up
ip link add away type veth peer name nowhere
for link in away nowhere; do ip link set $link addrgenmode none; ip link set $link up; done
ip addr add 198.51.100.1/24 dev away
ip neigh add 198.51.100.2 lladdr 02:00:00:00:00:01 dev away
ip route add default via 198.51.100.2 dev away
set +e
`;

function inside(script: string): {
  readonly status: number | null;
  readonly counts: readonly number[];
  readonly text: string;
} {
  const { status, stdout, stderr } = spawnSync("unshare", ["-n", "sh", "-c", `${COUNT}${script}`], {
    encoding: "utf8",
    timeout: 120_000,
    env: {
      HOME: "/nonexistent",
      AGENTOS_PORT: "0",
      PATH: `${toolPath().join(":")}:/usr/sbin:/sbin`,
      TMPDIR: temporaryDirectory("packets"),
    },
  });
  const counts = [...stdout.matchAll(/^count (\d+)$/gm)].map(([, number]) => Number(number));
  return { status, counts, text: stdout + stderr };
}

/** A namespace with a link needs root, and a kernel that has such links. */
function missing(): string | null {
  if (process.getuid?.() !== 0) return "only root may make a network namespace";
  const { status, text } = inside("exit 0");
  return status === 0 ? null : `this machine cannot make a network namespace with a link: ${text.trim().slice(0, 200)}`;
}

describe("the whole journey of a task", () => {
  it.for([
    ["by a plan of one's own", BY_SCRIPT] as const,
    ["of the built-in agent with a model on this machine", BY_LOCAL_MODEL] as const,
  ])(
    "N10: %s sends 0 packets to anything but loopback, counted by the kernel (needs root)",
    {
      timeout: 180_000,
    },
    ([, journey], context) => {
      const why = missing();
      if (why !== null) context.skip(why);
      const repository = sampleRepo("red");
      const { status, counts, text } = inside(
        `export AGENTOS_HOME="$TMPDIR/home" REPOSITORY='${repository}'\ncount\n${journey}\ncount\n[ $code = 0 ] || tail -50 "$TMPDIR/said"\nexit $code`,
      );
      expect({ status, text: status === 0 ? "" : text }).toEqual({ status: 0, text: "" });
      const [before, after] = counts;
      expect(git(repository, "show", "main:sum.js")).toContain("a + b");
      expect([before === undefined, (after ?? -1) - (before ?? 0)]).toEqual([false, 0]);
    },
  );

  it("N10: the control: a datagram, a connection and a datagram of IPv6 are each counted (needs root)", (context) => {
    const why = missing();
    if (why !== null) context.skip(why);
    const { counts } = inside(
      `count; node -e 'require("dgram").createSocket("udp4").send("x", 9, "203.0.113.9", () => process.exit())'; count; timeout 1 curl -s -m 1 http://203.0.113.9/; count; node -e 'require("dgram").createSocket("udp6").send("x", 9, "2001:db8::1", () => process.exit())'; count`,
    );
    expect(counts.map((each, at) => at === 0 || each > (counts[at - 1] ?? 0))).toEqual([true, true, true, true]);
  });
});
