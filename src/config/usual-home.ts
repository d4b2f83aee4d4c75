import { homedir } from "node:os";
import { isAbsolute, resolve } from "node:path";

type Environment = Readonly<Record<string, string | undefined>>;

export const USUAL_HOME = "~/.agentos";

/** An empty variable is one that is not set. */
export const said = (value: string | undefined): string | undefined =>
  value === undefined || value === "" ? undefined : value;

/** Where the data directory is when no flag says otherwise: for whoever cannot wait for the settings, which are checked. */
export const usualHome = (env: Environment): string => homeAt(said(env["AGENTOS_HOME"]) ?? USUAL_HOME, env);

/** The data directory that is called so, as an absolute path. */
export const homeAt = (path: string, env: Environment): string => absolute(path, personHome(env), process.cwd());

export const personHome = (env: Environment): string => said(env["HOME"]) ?? homedir();

/** An absolute path; `~/` is the person's home also where no shell has replaced it. */
export const absolute = (path: string, personHome: string, here: string): string =>
  path === "~"
    ? personHome
    : path.startsWith("~/")
      ? resolve(personHome, path.slice(2))
      : isAbsolute(path)
        ? resolve(path)
        : resolve(here, path);
