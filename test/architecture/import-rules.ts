import { posix } from "node:path";
import { type Import, importsOf, type Token, tokensOf } from "./imports-of.ts";

/** Path from the repository's root, with `/`, to the file's text. */
export type Files = Readonly<Record<string, string>>;

interface Layer {
  /** Whose files these are, by path prefix. */
  readonly folder: string;
  /** Folders whose files it may import besides its own. */
  readonly mayImport: readonly string[];
  /** Packages it may import; "declared" is every runtime dependency of its package.json. */
  readonly packages: readonly string[] | "declared";
  readonly node: readonly string[] | "any";
  /** Its folders are strangers: none may import another. */
  readonly strangers?: true;
}

/** Node modules that compute and touch nothing outside the process. */
const PURE_NODE = ["node:path", "node:path/posix", "node:util"];

/** Who may import whom. The longest matching folder counts. */
export const LAYERS: readonly Layer[] = [
  { folder: "src/domain/", mayImport: [], packages: [], node: [] },
  { folder: "src/contract/", mayImport: ["src/domain/"], packages: ["zod"], node: [] },
  { folder: "src/ports/", mayImport: ["src/domain/"], packages: [], node: [] },
  { folder: "src/app/", mayImport: ["src/domain/", "src/ports/"], packages: [], node: PURE_NODE },
  // A chat is handed what it may use: nothing it imports can do anything.
  {
    folder: "src/app/chat/",
    mayImport: ["src/domain/", "src/ports/"],
    packages: [],
    node: [],
  },
  { folder: "src/engine/", mayImport: ["src/domain/", "src/ports/"], packages: [], node: PURE_NODE },
  { folder: "src/broker/", mayImport: ["src/domain/", "src/ports/"], packages: [], node: PURE_NODE },
  {
    folder: "src/agents/",
    mayImport: ["src/domain/", "src/ports/"],
    packages: "declared",
    node: PURE_NODE,
    strangers: true,
  },
  {
    folder: "src/adapters/",
    mayImport: ["src/domain/", "src/ports/"],
    packages: "declared",
    node: "any",
    strangers: true,
  },
  { folder: "src/interfaces/http/", mayImport: ["src/app/", "src/contract/"], packages: "declared", node: "any" },
  { folder: "src/interfaces/client/", mayImport: ["src/contract/"], packages: [], node: "any" },
  ...["cli", "tui", "mcp", "acp"].map(
    (name): Layer => ({
      folder: `src/interfaces/${name}/`,
      mayImport: ["src/contract/", "src/interfaces/client/"],
      packages: "declared",
      node: "any",
    }),
  ),
  { folder: "src/config/", mayImport: ["src/contract/"], packages: "declared", node: "any" },
  { folder: "src/main/", mayImport: ["src/"], packages: "declared", node: "any" },
  { folder: "web/src/", mayImport: ["src/contract/"], packages: "declared", node: [] },
];

/** Words of the process that only these may use: one place to look for what AgentOS reads, says and when it ends. */
const RESERVED = [
  {
    object: "process",
    property: "env",
    folders: ["src/config/", "src/main/"],
    instead: "take the value as an argument; src/config reads the environment",
  },
  {
    object: "process",
    property: "exit",
    folders: ["src/main/", "src/interfaces/cli/run.ts"],
    instead: "throw, or return; src/main ends the process",
  },
  {
    object: "console",
    property: null,
    folders: ["src/main/", "src/interfaces/cli/run.ts"],
    instead: "return the words; src/interfaces/cli/run.ts says them",
  },
] as const;

/**
 * Files that run in a process which is not AgentOS, with the reason: they end it and read its environment as any program
 * does, and nothing in AgentOS imports them.
 */
export type Foreign = Readonly<Record<string, string>>;

export const FOREIGN: Foreign = {
  "src/adapters/sandbox/bridge.mjs": "it runs inside the sandbox, in front of the confined command",
};

/**
 * Everything the files do against the table: imports, circles, reserved words. Tests (`*.test.ts`) may import everything.
 * @param declared runtime dependencies by package.json: `src` for the root's, `web` for web's
 * @param foreign see Foreign
 * @returns one sentence per violation, in the order of the paths; empty when all is well
 */
export function violations(
  files: Files,
  declared: { readonly src: readonly string[]; readonly web: readonly string[] },
  foreign: Foreign = {},
): readonly string[] {
  const found: string[] = [];
  const graph = new Map<string, readonly string[]>();
  for (const path of Object.keys(files).sort()) {
    if (/\.test\.tsx?$/.test(path)) continue;
    const tokens = tokensOf(files[path] ?? "");
    const imports = importsOf(tokens);
    const layer = layerOf(path);
    if (layer === undefined) {
      found.push(
        `${path} lies in no folder of the table; the folders are ${LAYERS.map((each) => each.folder).join(", ")}.`,
      );
      continue;
    }
    const packages = path.startsWith("web/") ? declared.web : declared.src;
    for (const each of imports) {
      const wrong = wrongImport(path, layer, each, packages);
      if (wrong !== null) found.push(`${path}:${each.line} ${wrong}; ${allowance(layer)}.`);
    }
    if (foreign[path] === undefined && path.startsWith("src/")) found.push(...reservedWords(path, tokens, imports));
    graph.set(
      path,
      imports.flatMap((each) => (each.from !== null && isRelative(each.from) ? [resolved(path, each.from)] : [])),
    );
  }
  for (const [path, targets] of graph)
    for (const target of targets)
      if (foreign[target] !== undefined)
        found.push(`${path} imports ${target}, which is for another process: ${foreign[target]}.`);
  return [...found, ...circles(graph).map((circle) => `imports go in a circle: ${circle.join(" → ")}`)];
}

function wrongImport(path: string, layer: Layer, each: Import, declared: readonly string[]): string | null {
  const { from } = each;
  if (from === null) return "imports something that is only known when it runs; name the file as a literal";
  if (isRelative(from)) {
    const target = resolved(path, from);
    const own = ownFolder(layer, path);
    if (target.startsWith(own)) return null;
    return layer.mayImport.some((folder) => target.startsWith(folder)) ? null : `imports ${target}`;
  }
  if (from.startsWith("node:")) return layer.node === "any" || layer.node.includes(from) ? null : `imports ${from}`;
  const name = packageOf(from);
  if (!declared.includes(name))
    return `imports the package ${name}, which is no runtime dependency of its package.json`;
  return layer.packages === "declared" || layer.packages.includes(name) ? null : `imports the package ${name}`;
}

/** The layer's own folder, or for strangers the one below it in which the file lies. */
function ownFolder(layer: Layer, path: string): string {
  const below = path.slice(layer.folder.length).split("/");
  return layer.strangers === true && below.length > 1 ? `${layer.folder}${below[0]}/` : layer.folder;
}

/** What the layer may import, for the person who has to mend an import. */
function allowance(layer: Layer): string {
  const own = layer.strangers === true ? `one folder of ${layer.folder}` : layer.folder;
  const folders = ["its own files", ...layer.mayImport].join(", ");
  const packages = layer.packages === "declared" ? "any declared package" : list(layer.packages, "no package");
  const node = layer.node === "any" ? "any node: module" : list(layer.node, "no node: module");
  return `${own} may import ${folders}; ${packages}; ${node}`;
}

const list = (names: readonly string[], none: string): string => (names.length === 0 ? none : names.join(", "));

function reservedWords(path: string, tokens: readonly Token[], imports: readonly Import[]): readonly string[] {
  const found: string[] = [];
  for (const { object, property, folders, instead } of RESERVED) {
    if (folders.some((folder) => path.startsWith(folder))) continue;
    const word = property === null ? object : `${object}.${property}`;
    tokens.forEach((token, index) => {
      if (token.kind !== "word" || token.text !== object) return;
      const dot = tokens[index + 1];
      const name = tokens[index + 2];
      if (dot?.text !== "." && dot?.text !== "[" && dot?.text !== "?.") return;
      if (property === null || name?.text === property) found.push(`${path}:${token.line} uses ${word}; ${instead}.`);
    });
    for (const each of imports)
      if (each.from === `node:${object}` && property !== null && each.names.includes(property))
        found.push(`${path}:${each.line} uses ${word}; ${instead}.`);
  }
  return found;
}

/** Shortest circles, until each file that lies on one has been named in one. */
function circles(graph: ReadonlyMap<string, readonly string[]>): readonly (readonly string[])[] {
  const found: string[][] = [];
  const told = new Set<string>();
  for (const start of graph.keys()) {
    if (told.has(start)) continue;
    const circle = shortestCircle(graph, start);
    if (circle === null) continue;
    for (const path of circle) told.add(path);
    found.push(circle);
  }
  return found;
}

function shortestCircle(graph: ReadonlyMap<string, readonly string[]>, start: string): string[] | null {
  const cameFrom = new Map<string, string>();
  const queue = [start];
  for (const path of queue) {
    for (const target of graph.get(path) ?? []) {
      if (target === start) {
        const back = [path];
        for (let at = path; at !== start; ) {
          at = cameFrom.get(at) ?? start;
          back.push(at);
        }
        return [...back.reverse(), start];
      }
      if (cameFrom.has(target)) continue;
      cameFrom.set(target, path);
      queue.push(target);
    }
  }
  return null;
}

const layerOf = (path: string): Layer | undefined =>
  LAYERS.filter((layer) => path.startsWith(layer.folder)).sort(
    (one, other) => other.folder.length - one.folder.length,
  )[0];

const isRelative = (from: string): boolean => /^\.\.?(\/|$)/.test(from);

const resolved = (path: string, from: string): string => posix.join(posix.dirname(path), from);

/** `@scope/name/part` → `@scope/name`. */
const packageOf = (from: string): string => from.split("/", from.startsWith("@") ? 2 : 1).join("/");
