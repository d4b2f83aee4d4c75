import type { PrepareDefinition } from "../../domain/gate.ts";
import { hostOf, type Registries } from "./ecosystems/ecosystem.ts";

/** What the machine's own clients are set to; what is left out is the client's usual registry. */
export type Machine = { readonly registry: string; readonly goProxy?: string; readonly pythonIndex?: string };

const KINDS = ["npm", "go", "python"] as const;
type Kind = (typeof KINDS)[number];

export interface MachineRegistries {
  /** Urls without anybody's name or password. */
  readonly registries: Registries;
  /** What to say of these preparations: which registries are asked without the credentials that the machine has for them. */
  notes(prepare: readonly Pick<PrepareDefinition, "argv" | "hosts">[]): readonly string[];
}

const USUAL: Registries = {
  npm: "https://registry.npmjs.org/",
  go: "https://proxy.golang.org",
  python: "https://pypi.org/simple/",
};

/** The program whose setting it is, and the programs of a preparation that are given it. */
const CLIENTS = {
  npm: { setting: "npm", programs: ["npm", "pnpm", "yarn", "bun"] },
  go: { setting: "go", programs: ["go"] },
  python: { setting: "pip", programs: ["python3"] },
} as const satisfies Record<Kind, { readonly setting: string; readonly programs: readonly string[] }>;

/**
 * A preparation is stored for good with its spec, and its environment is read by whatever it installs. So a name and password that stand in
 * a registry's url go no further than here.
 */
export function machineRegistries(machine: Machine): MachineRegistries {
  const set: Registries = {
    npm: normalised(machine.registry, USUAL.npm),
    // One that is no url may hide a password from who takes passwords out, and nobody could be asked there.
    go:
      machine.goProxy !== undefined && onTheWeb(machine.goProxy).every((one) => URL.canParse(one))
        ? machine.goProxy
        : USUAL.go,
    python: normalised(machine.pythonIndex ?? "", USUAL.python),
  };
  const registries: Registries = {
    npm: withoutCredentials(set.npm),
    go: set.go
      .split(/([,|])/)
      .map(withoutCredentials)
      .join(""),
    python: withoutCredentials(set.python),
  };
  const hidden = (kind: Kind): readonly string[] =>
    onTheWeb(set[kind]).flatMap((url) => (withoutCredentials(url) === url ? [] : [hostOf(url)]));
  return {
    registries,
    notes: (prepare) =>
      KINDS.flatMap((kind) => {
        const programs: readonly string[] = CLIENTS[kind].programs;
        const asked = new Set(prepare.flatMap(({ argv, hosts }) => (programs.includes(argv[0] ?? "") ? hosts : [])));
        return [...new Set(hidden(kind))].filter((host) => asked.has(host)).map((host) => note(kind, host));
      }),
  };
}

const note = (kind: Kind, host: string): string =>
  `${host} is asked without the credentials that ${CLIENTS[kind].setting} has for it, because a sandbox is given no secrets: what only they open cannot be installed; set ${CLIENTS[kind].setting} to a registry that asks for none, a mirror on this machine for example, or commit the packages`;

const withoutCredentials = (text: string): string => {
  if (!URL.canParse(text)) return text;
  const url = new URL(text);
  if (url.username === "" && url.password === "") return text;
  url.username = "";
  url.password = "";
  return url.href;
};

/** Those of a list, as go has one, that are asked over the web. */
const onTheWeb = (list: string): readonly string[] => list.split(/[,|]/).filter((one) => /^https?:/.test(one));

/** A registry may be written with and without the slash at its end; a setting that is no URL counts as the usual one. */
function normalised(registry: string, usual: string): string {
  const url = URL.canParse(registry) ? new URL(registry).href : usual;
  return url.endsWith("/") ? url : `${url}/`;
}
