import { z } from "zod";
import { RunMode } from "../contract/run-mode.ts";
import { USUAL_HOME } from "./usual-home.ts";

const LOOPBACK = ["127.0.0.1", "::1", "localhost"] as const;
export const LOG_LEVELS = ["fatal", "error", "warn", "info", "debug", "trace", "silent"] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

const wholeNumber = (least: number, most: number) =>
  z.unknown().transform((value, context): number => {
    const n = typeof value === "string" && /^\d{1,9}$/.test(value) ? Number(value) : value;
    if (typeof n === "number" && Number.isInteger(n) && n >= least && n <= most) return n;
    context.addIssue({ code: "custom", message: `must be a whole number from ${least} to ${most}` });
    return z.NEVER;
  });

const yesOrNo = () =>
  z.union(
    [z.boolean(), z.enum(["true", "1", "false", "0"]).transform((word) => word === "true" || word === "1")],
    "must be true or false",
  );

/**
 * Everything that can be set, by its name in `config.yaml`. `file` false: it says where that file is. Each schema is made when it is needed:
 * a command needs four of them, and making all takes as long as an answer of the daemon.
 */
export const SETTINGS = {
  home: {
    environment: "AGENTOS_HOME",
    file: false,
    about: "the data directory",
    schema: () =>
      z
        .string()
        .max(4096)
        .refine((path) => !path.includes("\0"), "has a NUL"),
    otherwise: USUAL_HOME,
  },
  host: {
    environment: "AGENTOS_HOST",
    file: true,
    about: "the address the daemon listens on",
    schema: () =>
      z.enum(LOOPBACK, "must be 127.0.0.1, ::1 or localhost: listening for other machines is not built yet"),
    otherwise: "127.0.0.1",
  },
  port: {
    environment: "AGENTOS_PORT",
    file: true,
    about: "the port the daemon listens on; 0 takes any free one",
    schema: () => wholeNumber(0, 65_535),
    otherwise: 8000,
  },
  run_mode: {
    environment: "AGENTOS_RUN_MODE",
    file: true,
    about: "how much a person is involved in tasks that are created now: interactive, assisted or autonomous",
    schema: () => RunMode.optional(),
    otherwise: undefined,
  },
  tasks_max: {
    environment: "AGENTOS_TASKS_MAX",
    file: true,
    about: "how many tasks run at the same time",
    schema: () => wholeNumber(1, 64),
    otherwise: 4,
  },
  start_paused: {
    environment: "AGENTOS_START_PAUSED",
    file: true,
    about: "whether every start of the daemon pauses everything until agentos daemon resume",
    schema: yesOrNo,
    otherwise: false,
  },
  create_per_minute: {
    environment: "AGENTOS_CREATE_PER_MINUTE",
    file: true,
    about: "how many tasks one client may create in a minute",
    schema: () => wholeNumber(1, 1_000_000),
    otherwise: 10,
  },
  create_per_hour: {
    environment: "AGENTOS_CREATE_PER_HOUR",
    file: true,
    about: "how many tasks one client may create in an hour",
    schema: () => wholeNumber(1, 1_000_000),
    otherwise: 100,
  },
  retain_succeeded_days: {
    environment: "AGENTOS_RETAIN_SUCCEEDED_DAYS",
    file: true,
    about: "after how many days the workspace of a task that succeeded goes, once its work is delivered",
    schema: () => wholeNumber(0, 36_500),
    otherwise: 14,
  },
  retain_failed_days: {
    environment: "AGENTOS_RETAIN_FAILED_DAYS",
    file: true,
    about: "after how many days the workspace of a task that failed goes",
    schema: () => wholeNumber(0, 36_500),
    otherwise: 60,
  },
  retain_canceled_days: {
    environment: "AGENTOS_RETAIN_CANCELED_DAYS",
    file: true,
    about: "after how many days the workspace of a canceled task goes",
    schema: () => wholeNumber(0, 36_500),
    otherwise: 14,
  },
  retain_layers_days: {
    environment: "AGENTOS_RETAIN_LAYERS_DAYS",
    file: true,
    about: "after how many days without use prepared dependencies go",
    schema: () => wholeNumber(1, 36_500),
    otherwise: 30,
  },
  log_level: {
    environment: "AGENTOS_LOG_LEVEL",
    file: true,
    about: "how much the daemon's log says",
    schema: () => z.enum(LOG_LEVELS),
    otherwise: "info",
  },
} as const;

export type SettingName = keyof typeof SETTINGS;

/** The way into one host's repositories, for the daemon alone. Secrets are named here, never written here. */
const hostAccess = () =>
  z
    .strictObject({
      token_env: z
        .string()
        .regex(/^[A-Za-z_][A-Za-z0-9_]{0,199}$/, "must be the name of an environment variable")
        .optional(),
      token_file: z.string().min(1).max(4096).optional(),
      username: z
        .string()
        .regex(/^[\x21-\x7e]{1,200}$/, "must be one word")
        .optional(),
      ssh_key: z.string().min(1).max(4096).optional(),
      known_hosts: z.string().min(1).max(4096).optional(),
    })
    .refine((one) => one.token_env === undefined || one.token_file === undefined, "has two tokens");
const remotes = () =>
  z.record(
    z
      .string()
      .regex(
        /^[a-z0-9._-]{1,253}(:\d{1,5})?$|^\[[0-9a-f:]+\](:\d{1,5})?$/,
        "must be a host, or host:port, in lower case",
      ),
    hostAccess(),
  );

/** What `config.yaml` may hold. A name nobody knows is an error, never a setting that is silently not in force. */
export const configFile = () =>
  z.strictObject({
    host: SETTINGS.host.schema().optional(),
    port: SETTINGS.port.schema().optional(),
    run_mode: SETTINGS.run_mode.schema(),
    tasks_max: SETTINGS.tasks_max.schema().optional(),
    start_paused: SETTINGS.start_paused.schema().optional(),
    create_per_minute: SETTINGS.create_per_minute.schema().optional(),
    create_per_hour: SETTINGS.create_per_hour.schema().optional(),
    retain_succeeded_days: SETTINGS.retain_succeeded_days.schema().optional(),
    retain_failed_days: SETTINGS.retain_failed_days.schema().optional(),
    retain_canceled_days: SETTINGS.retain_canceled_days.schema().optional(),
    retain_layers_days: SETTINGS.retain_layers_days.schema().optional(),
    log_level: SETTINGS.log_level.schema().optional(),
    remotes: remotes().optional(),
  });

export const databaseType = () =>
  z
    .string()
    .optional()
    .refine(
      (type) => type === undefined || type === "" || type.toLowerCase() === "sqlite",
      "must be sqlite or unset: the PostgreSQL store is not built yet, and AgentOS will not quietly keep your tasks somewhere else",
    );
