import type { RepoView } from "../../contract/views.ts";
import type { Client } from "../client/client.ts";
import { trouble } from "../client/trouble.ts";

/** A repo by its id, or by its name where no other project has one of that name. `PROJECT/NAME` is always one. */
export async function repoNamed(api: Client, reference: string): Promise<RepoView> {
  if (/^[0-9A-HJKMNP-TV-Z]{26}$/.test(reference)) return api.repo(reference);
  const found = (await api.projects()).items.flatMap((project) =>
    project.repos
      .filter(({ name }) => name === reference || `${project.name}/${name}` === reference)
      .map((repo) => ({ repo, full: `${project.name}/${repo.name}` })),
  );
  const [only, ...others] = found;
  if (only === undefined) throw trouble("repo/not-found", `there is no repo ${reference}`);
  if (others.length > 0)
    throw trouble("input/invalid", `${found.length} projects have a repo ${reference}`, {
      next: `Name one: ${found.map(({ full }) => full).join(", ")}`,
    });
  return only.repo;
}
