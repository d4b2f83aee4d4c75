import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { z } from "zod";
import { invalid, parse } from "../contract/parse.ts";
import { configFile, databaseType, type LogLevel, SETTINGS, type SettingName } from "./settings.ts";
import { absolute, homeAt, personHome, said } from "./usual-home.ts";

type Environment = Readonly<Record<string, string | undefined>>;

interface Shared {
  /** Absolute. */
  readonly home: string;
  readonly host: string;
  readonly port: number;
  /** The person's own PATH, entry by entry, without what `npm run` puts before it: where the commands of their tasks are looked up. */
  readonly toolPath: readonly string[];
}

export interface DaemonConfig extends Shared {
  /** How many tasks run at the same time. */
  readonly tasksMax: number;
  /** Nothing is taken up before a person resumes. */
  readonly startPaused: boolean;
  readonly createPerMinute: number;
  readonly createPerHour: number;
  /** How long what nobody needs any more stays on disk, in days. */
  readonly retention: {
    readonly succeededDays: number;
    readonly failedDays: number;
    readonly canceledDays: number;
    readonly layersDays: number;
  };
  /** How the daemon gets into remote repositories, by `host` or `host:port`; paths are absolute. */
  readonly remotes: Readonly<Record<string, HostAccess>>;
  readonly logLevel: LogLevel;
}

interface HostAccess {
  /** Name of the variable of the daemon's environment that holds the token. */
  readonly tokenEnv: string | null;
  readonly tokenFile: string | null;
  readonly username: string | null;
  readonly sshKey: string | null;
  readonly knownHosts: string | null;
}

export interface CliConfig extends Shared {
  /** Null: the project's, else the usual one. */
  readonly runMode: "interactive" | "assisted" | "autonomous" | null;
  /** Whether a browser could be shown to the person. */
  readonly display: boolean;
}

export interface CliFlags {
  readonly home?: string | undefined;
  readonly port?: string | undefined;
}

/** Environment, then `<home>/config.yaml`, then default. Throws `Failure("input/invalid")` naming the setting. */
export function daemonConfig(env: Environment): DaemonConfig {
  const { chosen, shared, remotes } = settings(env, {});
  return {
    ...shared,
    remotes,
    tasksMax: checked(chosen("tasks_max"), SETTINGS.tasks_max.schema),
    startPaused: checked(chosen("start_paused"), SETTINGS.start_paused.schema),
    createPerMinute: checked(chosen("create_per_minute"), SETTINGS.create_per_minute.schema),
    createPerHour: checked(chosen("create_per_hour"), SETTINGS.create_per_hour.schema),
    retention: {
      succeededDays: checked(chosen("retain_succeeded_days"), SETTINGS.retain_succeeded_days.schema),
      failedDays: checked(chosen("retain_failed_days"), SETTINGS.retain_failed_days.schema),
      canceledDays: checked(chosen("retain_canceled_days"), SETTINGS.retain_canceled_days.schema),
      layersDays: checked(chosen("retain_layers_days"), SETTINGS.retain_layers_days.schema),
    },
    logLevel: checked(chosen("log_level"), SETTINGS.log_level.schema),
  };
}

/** Flag, then environment, then `<home>/config.yaml`, then default. Throws `Failure("input/invalid")` naming the setting. */
export function cliConfig(env: Environment, flags: CliFlags = {}): CliConfig {
  const { chosen, shared } = settings(env, flags);
  return {
    ...shared,
    runMode: checked(chosen("run_mode"), SETTINGS.run_mode.schema) ?? null,
    display:
      process.platform === "darwin" || said(env["DISPLAY"]) !== undefined || said(env["WAYLAND_DISPLAY"]) !== undefined,
  };
}

/** The environment a daemon is started with: the person's, without what belongs to the process that happens to start it. */
export function daemonEnvironment(env: Environment, config: CliConfig): Record<string, string> {
  const kept = Object.entries(env).filter(
    (entry): entry is [string, string] =>
      entry[1] !== undefined && !/^(NODE_|npm_(?!config_)|INIT_CWD$|VITEST)/.test(entry[0]),
  );
  const path = config.toolPath.join(":");
  return {
    ...Object.fromEntries(kept),
    PATH: path,
    AGENTOS_HOME: config.home,
    AGENTOS_HOST: config.host,
    AGENTOS_PORT: String(config.port),
    AGENTOS_LOGIN_PATH: path,
  };
}

interface Chosen {
  /** Where it was said, in the words of whoever has to mend it. */
  readonly from: string;
  readonly value: unknown;
  /** False: nobody said anything, and it is what is usual. */
  readonly isSaid: boolean;
}

function settings(env: Environment, flags: CliFlags) {
  checked(
    { from: "DATABASE_TYPE", value: env["DATABASE_TYPE"], isSaid: env["DATABASE_TYPE"] !== undefined },
    databaseType,
  );
  const given: Readonly<Partial<Record<SettingName, string | undefined>>> = flags;

  const home = checked(chosen("home", null), SETTINGS.home.schema);
  const absoluteHome = homeAt(home, env);
  const { remotes = {}, ...file } = readConfigFile(join(absoluteHome, "config.yaml"));
  const path = (value: string | undefined): string | null =>
    value === undefined ? null : absolute(value, personHome(env), absoluteHome);

  function chosen(name: SettingName, inFile: Readonly<Partial<Record<SettingName, unknown>>> | null): Chosen {
    const { environment, otherwise } = SETTINGS[name];
    const flag = said(given[name]);
    if (flag !== undefined) return { from: `--${name}`, value: flag, isSaid: true };
    const variable = said(env[environment]);
    if (variable !== undefined) return { from: environment, value: variable, isSaid: true };
    const filed = inFile?.[name];
    return { from: name, value: filed ?? otherwise, isSaid: filed !== undefined };
  }

  const shared: Shared = {
    home: absoluteHome,
    host: checked(chosen("host", file), SETTINGS.host.schema),
    port: checked(chosen("port", file), SETTINGS.port.schema),
    toolPath: toolPath(env),
  };
  return {
    shared,
    chosen: (name: SettingName) => chosen(name, file),
    remotes: Object.fromEntries(
      Object.entries(remotes).map(([host, one]) => [
        host,
        {
          tokenEnv: one.token_env ?? null,
          tokenFile: path(one.token_file),
          username: one.username ?? null,
          sshKey: path(one.ssh_key),
          knownHosts: path(one.known_hosts),
        },
      ]),
    ),
  };
}

function checked<S extends z.ZodType>({ from, value, isSaid }: Chosen, schema: () => S): z.infer<S> {
  // What is usual is right, and most settings are.
  if (!isSaid) return value as z.infer<S>;
  const result = schema().safeParse(value);
  if (result.success) return result.data;
  throw invalid(
    new z.ZodError(result.error.issues.map((issue) => ({ ...issue, path: [from, ...issue.path] }))),
    "the configuration",
    { [from]: value },
  );
}

function toolPath(env: Environment): readonly string[] {
  const path = said(env["AGENTOS_LOGIN_PATH"]) ?? env["PATH"] ?? "";
  return path
    .split(":")
    .filter((entry) => entry.startsWith("/") && !/\/(node_modules\/\.bin\/?|node-gyp-bin)$/.test(entry));
}

const CONFIG_BYTES_MAX = 65_536;

function readConfigFile(path: string): z.infer<ReturnType<typeof configFile>> {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (error) {
    if (error instanceof Error && "code" in error && (error.code === "ENOENT" || error.code === "ENOTDIR")) return {};
    throw error;
  }
  // Loaded only where there is a file: most people have none, and every start of the CLI would pay for it.
  const yaml = createRequire(import.meta.url)("yaml") as typeof import("yaml");
  if (text.length > CONFIG_BYTES_MAX) throw unreadable(path, `is larger than ${CONFIG_BYTES_MAX} characters`);
  const document = yaml.parseDocument(text, { version: "1.2", schema: "core", merge: false, uniqueKeys: true });
  const trouble = document.errors[0] ?? document.warnings[0];
  if (trouble !== undefined) throw unreadable(path, trouble.message);
  return parse(configFile(), document.toJS({ maxAliasCount: 10 }) ?? {}, path);
}

const unreadable = (path: string, message: string) =>
  invalid(new z.ZodError([{ code: "custom", path: [], message, input: undefined }]), path);
