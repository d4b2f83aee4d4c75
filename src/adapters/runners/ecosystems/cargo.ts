import { DEPENDENCIES_INSIDE } from "../../../domain/gate.ts";
import { STDOUT, type TestRunner } from "../test-runner.ts";
import { all, type Ecosystem, firstMatching, hostOf, type Place, type Prepared, testsGate } from "./ecosystem.ts";

/** The output of libtest, which keeps what a test itself prints apart unless the test fails. */
const CARGO: TestRunner = {
  name: "cargo test",
  report: "cargo",
  place: STDOUT,
  reach: "stdout",
  configuration: [],
  arguments: () => [],
  environment: () => ({}),
};

const REGISTRY_HOSTS = ["index.crates.io:443", "static.crates.io:443"] as const;
const TEST = /#\[\s*(?:\w+::)*test\b|#\[\s*(?:rstest|test_case|quickcheck)\b|^\s*\/\/[/!]\s*```/m;
const READ_MOST = 400;

/** One gate: cargo runs every package of a workspace itself. */
export const cargo: Ecosystem = {
  manifest: /^Cargo\.toml$/,
  looksFor: "Cargo.toml",
  runners: [CARGO],
  async look(place) {
    const manifest = (await place.files.text("Cargo.toml")) ?? "";
    const workspace = /^\s*\[workspace\b/m.test(manifest);
    const sources = place.paths.filter((path) => path.endsWith(".rs"));
    const tested = (await firstMatching(place.files, sources, TEST, READ_MOST)) !== null;
    const prepare = await cratesOf(place, manifest);
    const packages = place.paths.filter((path) => path.endsWith("/Cargo.toml")).length;
    return {
      tool: "cargo",
      gates: tested
        ? [
            testsGate(["cargo", "test", ...(workspace ? ["--workspace"] : [])], CARGO, {
              // Not Cargo.toml: every new dependency changes it.
              parts: [".cargo/config.toml", ".cargo/config", "rust-toolchain.toml", "rust-toolchain"],
            }),
          ]
        : [],
      prepare: tested ? prepare.prepare : null,
      notes: tested
        ? [
            ...(workspace
              ? [`cargo test --workspace runs the tests of all its packages (${packages} below the top)`]
              : []),
            ...prepare.notes,
          ]
        : ["no Rust file here has a test, so there is no gate tests"],
      covers: all,
    };
  },
};

async function cratesOf(place: Place, manifest: string): Promise<Prepared> {
  const lock = await place.files.text("Cargo.lock");
  const asks =
    lock === null
      ? /^\s*\[(?:[\w.-]+\.)?(?:dev-|build-)?dependencies\b/m.test(manifest) ||
        place.paths.some((path) => path.endsWith("/Cargo.toml"))
      : /^source = "/m.test(lock);
  if (!asks) return { prepare: null, notes: [] };
  const settings =
    ((await place.files.text(".cargo/config.toml")) ?? "") + ((await place.files.text(".cargo/config")) ?? "");
  if (/^\s*replace-with\s*=/m.test(settings) && /^\s*(?:directory|local-registry)\s*=/m.test(settings))
    return {
      prepare: null,
      notes: ["the crates are part of the repository, as .cargo/config.toml says, so none are fetched"],
    };
  const mirrors = [...settings.matchAll(/^\s*(?:registry|index)\s*=\s*"(?:sparse\+)?(https?:\/\/[^"]+)"/gm)].map(
    ([, url = ""]) => hostOf(url),
  );
  const gitHosts = [...(lock ?? "").matchAll(/^source = "git\+https:\/\/([^/"]+)\//gm)].map(
    ([, host = ""]) => `${host}:443`,
  );
  const id = place.prepareId("cargo");
  return {
    prepare: {
      id,
      argv: ["cargo", "fetch", ...(lock === null ? [] : ["--locked"])],
      inputs: [
        "Cargo.toml",
        "Cargo.lock",
        ".cargo/config.toml",
        ...place.paths.filter((path) => path.endsWith("/Cargo.toml")),
      ],
      outputs: [],
      stores: [id],
      hosts: [...new Set([...(mirrors.length > 0 ? mirrors : REGISTRY_HOSTS), ...gitHosts])].sort(),
      environment: { CARGO_NET_OFFLINE: "false" },
      provides: { CARGO_HOME: `${DEPENDENCIES_INSIDE}/${id}` },
      reproducible: lock !== null,
    },
    notes: lock === null ? ["there is no Cargo.lock, so crates can differ from one task to the next"] : [],
  };
}
