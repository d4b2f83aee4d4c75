import { DEPENDENCIES_INSIDE } from "../../../domain/gate.ts";
import { inFile, type TestRunner } from "../test-runner.ts";
import {
  all,
  type Ecosystem,
  firstMatching,
  hostOf,
  listed,
  type Offer,
  type Place,
  type Prepared,
  slugOf,
  testsGate,
} from "./ecosystem.ts";
import { unittestStarts } from "./unittest-starts.ts";

/** pytest writes JUnit XML from its own process at the end. */
const PYTEST: TestRunner = {
  name: "pytest",
  report: "junit",
  place: inFile("pytest.xml"),
  reach: "arguments",
  configuration: ["pytest.ini", "pyproject.toml", "tox.ini", "setup.cfg", "conftest.py"],
  arguments: (path) => [`--junitxml=${path}`],
  environment: () => ({}),
};

/** unittest has no report: the last lines it writes are its word. */
const UNITTEST: TestRunner = {
  name: "unittest",
  report: "unittest",
  place: { from: "stderr" },
  reach: "stdout",
  configuration: [],
  arguments: () => [],
  environment: () => ({}),
};

const TEST_FILE = /(?:^|\/)(?:test[^/]*|[^/]*_test)\.py$/;
const PYTEST_TABLE = /^[ \t]*\[(?:tool\.pytest(?:\.|\])|tool:pytest\]|pytest\])/m;
const NAMES_PYTEST = /(?:^|["'\s,])pytest(?:$|[-\w]*\s*["'\s,;\]<>=~![])/m;
const MANIFESTS = ["pyproject.toml", "setup.cfg", "setup.py", "tox.ini", "Pipfile"] as const;
const READ_MOST = 60;
/** Folders with a run of unittest of their own. */
const STARTS_MOST = 20;
const PYPI = "https://pypi.org/simple/";
const PYPI_FILES = "files.pythonhosted.org:443";

export const python: Ecosystem = {
  manifest:
    /^(?:pyproject\.toml|setup\.py|setup\.cfg|requirements[\w.-]*\.txt|pytest\.ini|tox\.ini|conftest\.py|test_[^/]*\.py)$/,
  looksFor: "pyproject.toml or setup.py",
  runners: [PYTEST, UNITTEST],
  async look(place) {
    const tests = place.paths.filter((path) => TEST_FILE.test(path));
    // Tools of other projects are written in Python too: without tests this is none of theirs.
    if (tests.length === 0) return null;
    const why = await asksForPytest(place, tests);
    const environment = sourceLayout(place);
    const prepare = await packagesOf(place, environment);
    const run =
      why === null
        ? await byUnittest(place, tests, environment)
        : {
            gates: [testsGate(["python3", "-m", "pytest"], PYTEST, { parts: PYTEST.configuration, environment })],
            notes: [`pytest runs the tests: ${why}`],
            covers: all,
          };
    return { tool: "python", ...run, prepare: prepare.prepare, notes: [...run.notes, ...prepare.notes] };
  },
};

async function byUnittest(
  place: Place,
  tests: readonly string[],
  environment: Readonly<Record<string, string>>,
): Promise<Pick<Offer, "gates" | "notes" | "covers">> {
  const { starts, leftOut, theirs } = await unittestStarts(place, tests);
  const [first] = starts;
  const gates = starts.slice(0, STARTS_MOST).map(({ folder, suffix }) =>
    testsGate(
      [
        ...["python3", "-m", "unittest", "discover"],
        ...(folder === "." ? [] : ["-s", folder]),
        ...(suffix ? ["-p", "*_test.py"] : []),
      ],
      UNITTEST,
      {
        id: [
          "tests",
          ...(folder === first?.folder ? [] : [folder === "." ? "top" : slugOf(folder.replace(/^tests?\//, ""))]),
          ...(suffix && first?.suffix === false ? ["suffix"] : []),
        ].join("-"),
        parts: [],
        environment,
      },
    ),
  );
  const elsewhere = starts.slice(STARTS_MOST).flatMap(({ files }) => files);
  // Without a command a gate is never proven: what nobody runs is not passed over.
  if (elsewhere.length > 0) gates.push(testsGate([], UNITTEST, { id: "tests-elsewhere", parts: [], environment: {} }));
  return {
    gates,
    notes: [
      ...(gates.length === 0 ? [] : ["nothing here asks for pytest, so unittest discovers the tests"]),
      ...(elsewhere.length === 0
        ? []
        : [
            `tests lie in more folders than have a gate each, so tests-elsewhere stays unproven for ${listed(elsewhere)}; name a gate of that id that runs them`,
          ]),
      ...(leftOut.length === 0
        ? []
        : [
            `unittest is not asked to run ${listed([...leftOut].sort())}: it cannot import a file of such a name, no test is seen in it, or its folder is passed over; name a gate if they are to count`,
          ]),
    ],
    covers: (folder) => !theirs.has(folder),
  };
}

/** Why pytest, null when not. */
async function asksForPytest({ files, paths }: Place, tests: readonly string[]): Promise<string | null> {
  if ((await files.text("pytest.ini")) !== null) return "there is a pytest.ini";
  const conftest = paths.find((path) => /(?:^|\/)conftest\.py$/.test(path));
  if (conftest !== undefined) return `there is ${conftest}`;
  const requirements = paths.filter((path) => /^(?:[^/]+\/)?requirements[^/]*\.txt$/.test(path));
  const configured = await firstMatching(files, ["pyproject.toml", "setup.cfg", "tox.ini"], PYTEST_TABLE, READ_MOST);
  if (configured !== null) return `${configured} configures it`;
  const asked = await firstMatching(files, [...MANIFESTS, ...requirements], NAMES_PYTEST, READ_MOST);
  if (asked !== null) return `${asked} asks for it`;
  const imports = await firstMatching(files, tests, /^[ \t]*(?:import|from)\s+pytest\b/m, READ_MOST);
  if (imports !== null) return `${imports} imports it`;
  const plain = await firstMatching(files, tests, /^def test_\w*\(/m, READ_MOST);
  return plain === null || (await firstMatching(files, [plain], /\bunittest\b/, 1)) !== null
    ? null
    : `${plain} has test functions of its style`;
}

/** Packages below `src/` are found without being installed. */
const sourceLayout = ({ paths }: Place): Record<string, string> =>
  paths.some((path) => /^src\/(?:[^/]+\/__init__|[^/]+)\.py$/.test(path)) ? { PYTHONPATH: "src" } : {};

async function packagesOf(place: Place, environment: Readonly<Record<string, string>>): Promise<Prepared> {
  const { files, paths, registries } = place;
  const lists = paths.filter((path) => /^requirements(?:[-_.](?:dev|test|tests|testing))?\.txt$/.test(path));
  const texts: string[] = [];
  for (const path of lists) texts.push((await files.text(path)) ?? "");
  const wanted = texts
    .join("\n")
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => /^[\w-]/.test(line) && !/^--|^-[icf]\b/.test(line));
  const pyproject = (await files.text("pyproject.toml")) ?? "";
  const declared = /^[ \t]*dependencies\s*=\s*\[[^\]"']{0,4096}["']/m.test(pyproject);
  if (wanted.length === 0 && !declared) return { prepare: null, notes: [] };
  const id = place.prepareId("python");
  const store = `${DEPENDENCIES_INSIDE}/${id}`;
  const pinnedDown = wanted.length > 0 && wanted.every((line) => /==|--hash=/.test(line));
  const named = (pattern: RegExp): readonly string[] =>
    [...texts.join("\n").matchAll(pattern)]
      .map(([, url = ""]) => url)
      .filter((url) => URL.canParse(url))
      .map(hostOf);
  // The first takes the place of the usual index, the second stands beside it.
  const own = named(/^[ \t]*(?:-i|--index-url)[ =](https?:\/\/\S+)/gm);
  const beside = named(/^[ \t]*--extra-index-url[ =](https?:\/\/\S+)/gm);
  const usual = registries.python === PYPI ? [hostOf(PYPI), PYPI_FILES] : [hostOf(registries.python)];
  const hosts = [...new Set([...(own.length > 0 ? own : usual), ...beside])];
  return {
    prepare: {
      id,
      argv: [
        ...["python3", "-m", "pip", "install", "--no-input", "--disable-pip-version-check", "--no-cache-dir"],
        ...["--target", store],
        ...(wanted.length > 0 ? lists.flatMap((path) => ["-r", path]) : ["."]),
      ],
      inputs: [...lists, "pyproject.toml", "setup.py", "setup.cfg"],
      outputs: [],
      stores: [id],
      hosts: hosts.sort(),
      environment: registries.python === PYPI ? {} : { PIP_INDEX_URL: registries.python },
      // The checkout's own packages come first: a copy that was installed along must not be the one that is tested.
      provides: { PYTHONPATH: [...Object.values(environment), store].join(":") },
      reproducible: pinnedDown,
    },
    notes: pinnedDown
      ? []
      : ["not every package has an exact version (==), so they can differ from one task to the next"],
  };
}
