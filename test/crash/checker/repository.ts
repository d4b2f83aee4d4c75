import { createHash } from "node:crypto";
import { lstatSync, readdirSync, readFileSync, readlinkSync } from "node:fs";
import { join } from "node:path";

/** Every file of a person's repository, its git directory included: path → what it is. */
export type Listing = Readonly<Record<string, string>>;

/** Byte for byte: mode, and the digest of what each file holds or where each link leads. Times are no part of it. */
export function listingOf(root: string): Listing {
  const listing: Record<string, string> = {};
  const look = (path: string): void => {
    for (const name of readdirSync(join(root, path)).sort()) {
      const at = path === "" ? name : `${path}/${name}`;
      const stats = lstatSync(join(root, at));
      const mode = (stats.mode & 0o7777).toString(8);
      if (stats.isDirectory()) {
        listing[`${at}/`] = mode;
        look(at);
      } else if (stats.isSymbolicLink()) listing[at] = `link ${readlinkSync(join(root, at))}`;
      else if (stats.isFile()) listing[at] = `${mode} ${sha256(readFileSync(join(root, at)))}`;
      else listing[at] = `${mode} something else`;
    }
  };
  look("");
  return listing;
}

export const sha256 = (bytes: Uint8Array | string): string => createHash("sha256").update(bytes).digest("hex");

/** What AgentOS may do to a repository before anything is delivered: names of its own below refs/agentos, nothing else. */
const OWN_REFS = /^\.git\/refs\/agentos\//;
/** What a delivery adds: objects (never takes any away) and the log of the branch that moved. */
const ADDED_BY_DELIVERY = /^\.git\/objects\//;

/** Differences that nothing explains, each as a sentence. `allowed` says which changed paths are explained. */
export function unexplainedChanges(
  before: Listing,
  after: Listing,
  delivered: { readonly changed: (path: string) => boolean } | null,
): string[] {
  const findings: string[] = [];
  for (const path of new Set([...Object.keys(before), ...Object.keys(after)])) {
    if (before[path] === after[path] || OWN_REFS.test(path)) continue;
    const change = after[path] === undefined ? "is gone" : before[path] === undefined ? "was added" : "was changed";
    if (delivered !== null && before[path] === undefined && ADDED_BY_DELIVERY.test(path)) continue;
    if (delivered?.changed(path)) continue;
    findings.push(`${path} ${change}`);
  }
  return findings;
}
