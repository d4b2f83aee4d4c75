import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { Failure } from "../../domain/failure.ts";

export const SYSTEM_DIRECTORIES = ["/usr/bin", "/bin", "/usr/local/bin", "/usr/sbin", "/sbin"];

/** The path of bwrap; `sandbox/missing` with the line that installs it when there is none. */
export const findProgram = (): string => {
  const found = SYSTEM_DIRECTORIES.map((directory) => join(directory, "bwrap")).find((path) => existsSync(path));
  if (found === undefined)
    throw sandboxMissing("bubblewrap is not installed: there is no bwrap in the system's directories.");
  return found;
};

/** Kernel switches that take user namespaces away, with how to give them back. */
const SWITCHES = [
  {
    file: "/proc/sys/kernel/unprivileged_userns_clone",
    blocks: "0",
    enable: "sysctl -w kernel.unprivileged_userns_clone=1",
  },
  { file: "/proc/sys/user/max_user_namespaces", blocks: "0", enable: "sysctl -w user.max_user_namespaces=15000" },
  {
    file: "/proc/sys/kernel/apparmor_restrict_unprivileged_userns",
    blocks: "1",
    enable: "sysctl -w kernel.apparmor_restrict_unprivileged_userns=0",
  },
] as const;

const INSTALL = "sudo apt-get install -y bubblewrap util-linux";

/** The failure that says what to install, or which switch of the kernel is in the way. */
export const sandboxMissing = (sentence: string, cause?: unknown): Failure => {
  const shut = SWITCHES.find(({ file, blocks }) => existsSync(file) && readFileSync(file, "utf8").trim() === blocks);
  const next =
    shut === undefined
      ? `Install it: ${INSTALL}`
      : `User namespaces are switched off by ${shut.file}; switch them on: sudo ${shut.enable}`;
  return new Failure("sandbox/missing", sentence, { next, cause });
};
