import { DEPENDENCIES_INSIDE } from "../../../domain/gate.ts";
import { STDOUT, type TestRunner } from "../test-runner.ts";
import { cargoPackages } from "./cargo-packages.ts";
import {
  type Ecosystem,
  firstMatching,
  hostOf,
  listed,
  type Place,
  type Prepared,
  testsGate,
  upwards,
} from "./ecosystem.ts";

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
const TEST = /#\[\s*(?:\w+::)*test\b|#\[\s*(?:rstest|test_case|quickcheck)\b|^[ \t]*\/\/[/!]\s*```/m;
const READ_MOST = 400;

/** Files with cargo's settings; it looks for them in the folder and in each one above. */
const SETTINGS = [".cargo/config.toml", ".cargo/config"] as const;
const TOOLCHAINS = ["rust-toolchain.toml", "rust-toolchain"] as const;

/** One gate for a workspace or a package that is alone; what cargo does not test from there is a place of its own. */
export const cargo: Ecosystem = {
  manifest: /^Cargo\.toml$/,
  looksFor: "Cargo.toml",
  runners: [CARGO],
  async look(place) {
    const manifest = (await place.files.text("Cargo.toml")) ?? "";
    const packages = await cargoPackages(place);
    const { workspace, members, ownerOf } = packages;
    const sources = place.paths.filter((path) => path.endsWith(".rs"));
    const tested = await testedOf(place, sources, (path) => members.has(ownerOf(path)));
    const prepare = await cratesOf(place, manifest);
    const aside = async (folders: readonly string[]): Promise<string> => {
      const found: string[] = [];
      for (const folder of folders)
        if (await testedOf(place, sources, (path) => ownerOf(path) === folder)) found.push(folder);
      return listed(found);
    };
    const [notTaken, material] = [await aside(packages.refused), await aside(packages.material)];
    return {
      tool: "cargo",
      gates: tested
        ? [
            testsGate(["cargo", "test", ...(workspace ? ["--workspace"] : [])], CARGO, {
              // Not Cargo.toml: every new dependency changes it.
              parts: [...SETTINGS, ...TOOLCHAINS].flatMap((name) => upwards(place.folder, name)),
            }),
          ]
        : [],
      prepare: tested ? prepare.prepare : null,
      notes: [
        ...(tested && workspace
          ? [
              `cargo test --workspace runs the tests of all its packages (${[...members].filter((folder) => folder !== ".").length} below the top)`,
            ]
          : []),
        ...(tested ? prepare.notes : []),
        ...(notTaken === ""
          ? []
          : [
              `cargo refuses to test ${notTaken}: the workspace has them neither among its members nor excluded; name them there to have them tested`,
            ]),
        ...(material === ""
          ? []
          : [
              `tests inside ${material} are not run, since it lies among the tests of a package; name a gate if they are to count`,
            ]),
        ...(tested ? [] : ["no Rust file here has a test, so there is no gate tests"]),
      ],
      covers: (folder) =>
        members.has(folder) || packages.refused.includes(folder) || packages.material.includes(folder),
    };
  },
};

const testedOf = async (place: Place, sources: readonly string[], own: (path: string) => boolean): Promise<boolean> =>
  (await firstMatching(place.files, sources.filter(own), TEST, READ_MOST)) !== null;

async function cratesOf(place: Place, manifest: string): Promise<Prepared> {
  const lock = await place.files.text("Cargo.lock");
  const asks =
    lock === null
      ? /^[ \t]*\[(?:[\w.-]+\.)?(?:dev-|build-)?dependencies\b/m.test(manifest) ||
        place.paths.some((path) => path.endsWith("/Cargo.toml"))
      : /^source = "/m.test(lock);
  if (!asks) return { prepare: null, notes: [] };
  const settingsFiles = SETTINGS.flatMap((name) => upwards(place.folder, name));
  const texts = await Promise.all(settingsFiles.map((path) => place.top.text(path.slice(1))));
  const settings = texts.join("\n");
  if (/^[ \t]*replace-with\s*=/m.test(settings) && /^[ \t]*(?:directory|local-registry)\s*=/m.test(settings))
    return {
      prepare: null,
      notes: ["the crates are part of the repository, as .cargo/config.toml says, so none are fetched"],
    };
  const mirrors = [...settings.matchAll(/^[ \t]*(?:registry|index)\s*=\s*"(?:sparse\+)?(https?:\/\/[^"]+)"/gm)].map(
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
        ...upwards(place.folder, ".cargo/config.toml"),
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
