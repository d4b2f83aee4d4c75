import type { RepoFiles } from "../../../ports/runners.ts";

/** The same files seen from a folder: paths are relative to it. */
export const below = (files: RepoFiles, folder: string): RepoFiles =>
  folder === "."
    ? files
    : {
        text: (path) => files.text(`${folder}/${path}`),
        paths: async (prefix = "", most) =>
          (await files.paths(`${folder}/${prefix}`, most)).map((path) => path.slice(folder.length + 1)),
      };
