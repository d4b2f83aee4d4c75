import { userInfo } from "node:os";

/** Who this process runs as. A uid without an entry in the user database (a container's, say) is called by its number and has no home. */
export function ownAccount(): { readonly name: string; readonly home: string } {
  try {
    const { username, homedir } = userInfo();
    return { name: username, home: homedir };
  } catch {
    // Node throws when the system does not know the uid: then there is nothing else to learn about it.
    return { name: `uid-${process.getuid?.() ?? "unknown"}`, home: "/nonexistent" };
  }
}
