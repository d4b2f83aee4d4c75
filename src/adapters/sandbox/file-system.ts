import { accessSync, constants, existsSync, lstatSync, readdirSync, readlinkSync, realpathSync } from "node:fs";
import { dirname, join, normalize, relative } from "node:path";
import { Failure } from "../../domain/failure.ts";
import type { Mount, SandboxCommand } from "../../ports/sandbox.ts";
import { HOME } from "./environment.ts";

/** A file of the sandbox whose content is ours: bwrap copies it from a descriptor into its root, sealed at the end. */
export interface SyntheticFile {
  readonly inside: string;
  readonly content: string;
}

const MiB = 1024 * 1024;
const SHARED_MEMORY_BYTES = 64 * MiB;
const SCRATCH_BYTES = 1024 * MiB;

/** bwrap's arguments for the parts that every command sees: the system's programs, a small /etc, /proc and /dev. */
export const systemArguments = (): readonly string[] => [
  ...["--ro-bind", "/usr", "/usr"],
  ...["/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32"].flatMap(sameAsHost),
  ...etcEntries().flatMap((name) => sameAsHost(`/etc/${name}`)),
  ...["--proc", "/proc", "--dev", "/dev", "--dir", "/run"],
];

/** The real path of a program below /usr, by whatever of the system's own names; null: it is none, or no file that may be executed. */
export function systemProgram(path: string): string | null {
  if (!SYSTEM_NAMES.some((directory) => path.startsWith(directory))) return null;
  try {
    const real = realpathSync(path);
    if (!real.startsWith("/usr/") || !lstatSync(real).isFile()) return null;
    accessSync(real, constants.X_OK);
    return real;
  } catch {
    return null; // Not there, or not for us: a command inside says what it sees.
  }
}

const SYSTEM_NAMES = ["/usr/", "/bin/", "/sbin/"];

/** A link stays a link where its target is visible inside; anything else is bound read-only. */
const sameAsHost = (path: string): readonly string[] => {
  if (!existsSync(path)) return [];
  return [...parents(path), ...linkOrBind(path)];
};

const linkOrBind = (path: string): readonly string[] => {
  if (!lstatSync(path).isSymbolicLink()) return ["--ro-bind", path, path];
  const target = realpathSync(path);
  if (!target.startsWith("/usr/")) return ["--ro-bind", target, path];
  return ["--symlink", dirname(path) === "/" ? readlinkSync(path) : target, path];
};

/**
 * What programs need of /etc to start and to check certificates; every mount costs a command 0.3 ms. Accounts are ours;
 * no shadow, no keys.
 */
const ETC = [
  "alternatives",
  "crypto-policies",
  "ld.so.cache",
  "localtime",
  "mime.types",
  "os-release",
  "pki/ca-trust",
  "pki/tls/certs",
  "protocols",
  "services",
];

const etcEntries = (): readonly string[] => [
  ...ETC,
  // Certificates without the private keys that lie beside them.
  ...namesIn("/etc/ssl").flatMap((name) => (name === "private" ? [] : [`ssl/${name}`])),
  // A Debian JDK keeps its configuration here and does not start without it.
  ...namesIn("/etc").filter((name) => name.startsWith("java-")),
  // Not the settings of either: those are where people write passwords.
  "maven/m2.conf",
  "maven/logging",
  ...namesIn("/etc/php").flatMap((version) => [`php/${version}/cli/conf.d`, `php/${version}/mods-available`]),
];

const namesIn = (directory: string): readonly string[] => (existsSync(directory) ? readdirSync(directory) : []);

export const syntheticFiles = (uid: number, gid: number): readonly SyntheticFile[] => [
  {
    inside: "/etc/passwd",
    content: `root:x:0:0:root:/:/bin/false\nagent:x:${uid}:${gid}:agent:${HOME}:/bin/sh\n${NOBODY}`,
  },
  { inside: "/etc/group", content: `root:x:0:\nagent:x:${gid}:\nnogroup:x:65534:\n` },
  // No "dns": names are the proxy's business, and a look-up that cannot succeed should fail at once.
  { inside: "/etc/nsswitch.conf", content: "passwd: files\ngroup: files\nhosts: files\nservices: files\n" },
  { inside: "/etc/hosts", content: "127.0.0.1 localhost agentos\n::1 localhost\n" },
];

/** Whatever belongs to neither root nor the agent shows as this one inside. */
const NOBODY = "nobody:x:65534:65534:nobody:/:/bin/false\n";

/**
 * bwrap's arguments for what this command sees besides the system, shorter mount points first so that one may lie
 * inside another, and the rest of the tree read-only at the end.
 */
export const commandArguments = (command: SandboxCommand, toolchains: readonly string[]): readonly string[] => {
  const usual = USUAL_SCRATCHES.filter(({ inside }) => !command.scratches.some((asked) => asked.inside === inside));
  const asked = [
    ...command.scratches.map(({ inside, bytesMax }) => ({ inside, words: scratch(inside, bytesMax) })),
    ...command.mounts.map((mount) => ({ inside: mount.inside, words: bind(mount, within(command, mount)) })),
  ];
  // A mount point cannot be made in what is read-only already: with others in it, it is closed when they are in their places.
  const closedLast = command.mounts.filter((mount) => mount.access === "read" && within(command, mount));
  return [
    ...usual.flatMap(({ inside, bytesMax }) => [
      ...parents(inside),
      ...scratch(inside, Math.min(bytesMax, command.limits.memoryBytes)),
    ]),
    ...toolchains.flatMap((directory) => [...parents(directory), "--ro-bind", directory, directory]),
    ...asked
      .sort((a, b) => depth(a.inside) - depth(b.inside))
      .flatMap(({ inside, words }) => [...parents(inside), ...words]),
    ...closedLast.flatMap(({ inside }) => ["--remount-ro", inside]),
  ];
};

const within = ({ mounts, scratches }: SandboxCommand, { inside }: Mount): boolean =>
  [...mounts, ...scratches].some((other) => other.inside.startsWith(`${inside}/`));

/** bwrap's root and /dev are memory that the confined user could fill: read-only once everything is in its place. */
export const SEAL = ["--remount-ro", "/dev", "--remount-ro", "/"] as const;

const USUAL_SCRATCHES = [
  { inside: "/tmp", bytesMax: SCRATCH_BYTES },
  { inside: "/var/tmp", bytesMax: SCRATCH_BYTES / 4 },
  { inside: HOME, bytesMax: SCRATCH_BYTES },
  { inside: "/dev/shm", bytesMax: SHARED_MEMORY_BYTES },
];

/** Mode 1777, not 0700: as root the mount belongs to root while the command is another user. */
const scratch = (inside: string, bytesMax: number): readonly string[] => [
  ...["--perms", "1777", "--size", String(Math.max(Math.floor(bytesMax), 4096)), "--tmpfs", inside],
];

const bind = ({ access, host, inside }: Mount, holdsOthers: boolean): readonly string[] => [
  access === "write" || holdsOthers ? "--bind" : "--ro-bind",
  host,
  inside,
];

/** Made by us with mode 0755: bwrap makes missing ones with 0700, and the confined user could not walk through. */
const parents = (path: string): readonly string[] => {
  const names = path.split("/").slice(1, -1);
  return names.flatMap((_, index) => ["--dir", `/${names.slice(0, index + 1).join("/")}`]);
};

const depth = (path: string): number => path.split("/").length;

/**
 * Refuses a command whose mount points are not what they say. A mount inside a writable mount is put at a path that an
 * earlier command could have replaced by a link; bwrap would follow it, out of the sandbox and with our rights.
 */
export const checkMounts = (command: SandboxCommand): void => {
  for (const { inside } of [...command.mounts, ...command.scratches]) {
    if (!inside.startsWith("/") || normalize(inside) !== inside || inside.endsWith("/")) {
      throw new Error(`the mount point ${inside} is not a plain absolute path`);
    }
    const around = command.mounts.filter((mount) => inside.startsWith(`${mount.inside}/`));
    for (const mount of around) refuseLinks(mount, inside);
  }
  for (const { host } of command.mounts) {
    if (!existsSync(host)) throw new Error(`${host} should be mounted in the sandbox but does not exist`);
  }
};

const refuseLinks = (around: Mount, inside: string): void => {
  let path = around.host;
  for (const part of relative(around.inside, inside).split("/")) {
    path = join(path, part);
    const found = lstatSync(path, { throwIfNoEntry: false });
    if (found === undefined) return;
    if (found.isSymbolicLink()) {
      throw new Failure(
        "act/denied",
        `${path} is a link to ${readlinkSync(path)}, and ${inside} is to be mounted there.`,
        {
          next: "Remove the link in the workspace and try again.",
        },
      );
    }
  }
};
