/** How far below the top folders of their own kind are looked for. */
const DEPTH_MAX = 3;
const PASSED_OVER =
  /(?:^|\/)(?:node_modules|bower_components|vendor|third[_-]party|testdata|test-?data|__?fixtures?__?|fixtures?|examples?|samples?|templates?|dist|target|\.[^/]+)(?:\/|$)/i;

/** Whether what lies there is somebody else's, or no project at all. */
export const isPassedOver = (folder: string): boolean => PASSED_OVER.test(folder);

/** Whether a folder with a manifest of its own is looked at as a project; from the repository's top, "" or "." for that itself. */
export const isLookedAt = (folder: string): boolean => depthOf(folder) <= DEPTH_MAX && !isPassedOver(folder);

export const depthOf = (folder: string): number => (folder === "." || folder === "" ? 0 : folder.split("/").length);
