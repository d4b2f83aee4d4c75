import { readdirSync, readFileSync } from "node:fs";

/**
 * Descriptors above stderr that a child of this process would inherit: whoever started the daemon left them open
 * without close-on-exec. A confined command that inherits a directory's descriptor walks out through it, and Node
 * offers no way to close them, so the caller puts /dev/null in their place.
 */
export const inheritableDescriptors = (): readonly number[] =>
  readdirSync("/proc/self/fd")
    .map(Number)
    .filter((fd) => fd > 2 && isInheritable(fd));

const O_CLOEXEC = 0o2000000;

const isInheritable = (fd: number): boolean => {
  try {
    const flags = /^flags:\s*([0-7]+)/m.exec(readFileSync(`/proc/self/fdinfo/${fd}`, "utf8"))?.[1];
    return flags !== undefined && (Number.parseInt(flags, 8) & O_CLOEXEC) === 0;
  } catch {
    return false; // The descriptor with which the directory itself was read is closed by now.
  }
};
