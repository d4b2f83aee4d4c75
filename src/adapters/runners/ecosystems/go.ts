import { DEPENDENCIES_INSIDE } from "../../../domain/gate.ts";
import { STDOUT, type TestRunner } from "../test-runner.ts";
import { type Ecosystem, hostOf, type Place, type Prepared, testsGate, upwards } from "./ecosystem.ts";

/** `go test -json`: go itself turns each test binary's output into events, and ends one that died as failed. */
const GO: TestRunner = {
  name: "go test",
  report: "go-json",
  place: STDOUT,
  reach: "stdout",
  configuration: [],
  arguments: () => [],
  environment: () => ({}),
};

const CHECKSUMS = "sum.golang.org:443";

/** One gate for each module: `./...` does not reach into another one. */
export const go: Ecosystem = {
  manifest: /^go\.mod$/,
  looksFor: "go.mod",
  runners: [GO],
  async look(place) {
    const modules = place.paths.flatMap((path) => /^(.+)\/go\.mod$/.exec(path)?.[1] ?? []);
    const own = place.paths.filter(
      (path) =>
        path.endsWith("_test.go") &&
        !/(?:^|\/)(?:testdata|_[^/]*)\//.test(path) &&
        !modules.some((folder) => path.startsWith(`${folder}/`)),
    );
    const prepare = await modulesOf(place);
    return {
      tool: "go",
      gates:
        own.length === 0
          ? []
          : [testsGate(["go", "test", "-json", "./..."], GO, { parts: upwards(place.folder, "go.work") })],
      prepare: prepare.prepare,
      notes: own.length === 0 ? ["there is no _test.go file, so there is no gate tests"] : prepare.notes,
      covers: () => false,
    };
  },
};

async function modulesOf(place: Place): Promise<Prepared> {
  const manifest = (await place.files.text("go.mod")) ?? "";
  if (!/^[ \t]*(?:require\s|[^\s/]+\.[^\s]+\s+v\d)/m.test(manifest.replace(/^(?:module|go|toolchain)\b.*$/gm, "")))
    return { prepare: null, notes: [] };
  if ((await place.files.text("vendor/modules.txt")) !== null)
    return { prepare: null, notes: ["the modules are vendored, so none are downloaded"] };
  const id = place.prepareId("go");
  const reproducible = (await place.files.text("go.sum")) !== null;
  const proxies = place.registries.go.split(/[,|]/).filter((one) => /^https?:\/\//.test(one));
  return {
    prepare: {
      id,
      argv: ["go", "mod", "download"],
      inputs: ["go.mod", "go.sum", ...upwards(place.folder, "go.work"), ...upwards(place.folder, "go.work.sum")],
      outputs: [],
      stores: [id],
      hosts: [...new Set([...proxies.map(hostOf), CHECKSUMS])].sort(),
      environment: { GOPROXY: place.registries.go },
      // Modules are read-only to go itself, and would be so to whoever removes an unfinished layer.
      provides: { GOMODCACHE: `${DEPENDENCIES_INSIDE}/${id}`, GOFLAGS: "-modcacherw" },
      reproducible,
    },
    notes: reproducible ? [] : ["there is no go.sum, so modules can differ from one task to the next"],
  };
}
