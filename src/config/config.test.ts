import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { cliConfig, daemonConfig, daemonEnvironment } from "./config.ts";

let home: string;
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), "agentos-config-"));
});
afterEach(() => rmSync(home, { recursive: true, force: true }));

const file = (text: string) => writeFileSync(join(home, "config.yaml"), text);
const env = (more: Record<string, string> = {}) => ({ AGENTOS_HOME: home, PATH: "/usr/bin:/bin", ...more });

describe("a setting comes from", () => {
  test("its default when nobody says anything", () =>
    expect(daemonConfig(env())).toEqual({
      home,
      host: "127.0.0.1",
      port: 8000,
      toolPath: ["/usr/bin", "/bin"],
      tasksMax: 4,
      startPaused: false,
      createPerMinute: 10,
      createPerHour: 100,
      remotes: {},
      retention: { succeededDays: 14, failedDays: 60, canceledDays: 14, layersDays: 30 },
      logLevel: "info",
    }));

  test("the file, else", () => {
    file("port: 8100\ntasks_max: 2\nlog_level: debug\n");
    expect(daemonConfig(env())).toMatchObject({ port: 8100, tasksMax: 2, logLevel: "debug" });
  });

  test("the environment before the file, and an empty variable is none", () => {
    file("port: 8100\nrun_mode: interactive\n");
    expect(cliConfig(env({ AGENTOS_PORT: "8200", AGENTOS_RUN_MODE: "" }))).toMatchObject({
      port: 8200,
      runMode: "interactive",
    });
  });

  test("the flag before the environment", () =>
    expect(cliConfig(env({ AGENTOS_PORT: "8200" }), { port: "8300" }).port).toBe(8300));
});

test("how the daemon gets into remote repositories comes from the file, and names secrets without holding them", () => {
  file(
    "remotes:\n  git.example.com:8443:\n    token_env: APP_TOKEN\n  h:\n    ssh_key: ~/.ssh/key\n    known_hosts: hosts\n",
  );
  const nothing = { tokenEnv: null, tokenFile: null, username: null, sshKey: null, knownHosts: null };
  expect(daemonConfig(env({ HOME: "/home/ada" })).remotes).toEqual({
    "git.example.com:8443": { ...nothing, tokenEnv: "APP_TOKEN" },
    h: { ...nothing, sshKey: "/home/ada/.ssh/key", knownHosts: join(home, "hosts") },
  });
});

describe("what is not understood is refused, and named by where it was said:", () => {
  const refused: readonly (readonly [string, Record<string, string>, string | null, RegExp])[] = [
    ["a port of a variable", { AGENTOS_PORT: "80 00" }, null, /AGENTOS_PORT: must be a whole number from 0 to 65535/],
    ["a port that does not exist", { AGENTOS_PORT: "70000" }, null, /AGENTOS_PORT: must be a whole number/],
    ["a run mode", { AGENTOS_RUN_MODE: "yolo" }, null, /AGENTOS_RUN_MODE: .*autonomous/],
    ["an address others could reach", { AGENTOS_HOST: "0.0.0.0" }, null, /AGENTOS_HOST: .*not built yet/],
    ["PostgreSQL", { DATABASE_TYPE: "postgresql" }, null, /DATABASE_TYPE: .*PostgreSQL store is not built yet/],
    ["an unknown name in the file", {}, "prot: 8000\n", /config\.yaml.*prot/],
    ["a token itself", {}, "remotes:\n  h:\n    token: abc\n", /config\.yaml.*token/s],
    ["two tokens", {}, "remotes:\n  h:\n    token_env: A\n    token_file: b\n", /has two tokens/],
    ["a url for a host", {}, "remotes:\n  https://h:\n    token_env: A\n", /https:\/\/h/],
    ["days that are none", {}, "retain_failed_days: soon\n", /retain_failed_days: must be a whole/],
    ["a file that is no YAML", {}, "port: [", /config\.yaml is not valid/],
    ["a tag in the file", {}, "port: !!js/function 'x'\n", /config\.yaml is not valid/],
    [
      "a bomb of aliases",
      {},
      "a: &a [1,1]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: [*b,*b,*b,*b,*b,*b,*b,*b,*b]\n",
      /./,
    ],
  ];
  test.each(refused)("%s", (_, more, text, sentence) => {
    if (text !== null) file(text);
    expect(() => cliConfig(env(more))).toThrow(sentence);
  });
});

test("a relative data directory is one below the working directory, and ~ is the person's home", () => {
  expect(cliConfig({ AGENTOS_HOME: "data" }).home).toBe(join(process.cwd(), "data"));
  expect(cliConfig({ AGENTOS_HOME: "~/data", HOME: "/nobody" }).home).toBe("/nobody/data");
  expect(cliConfig({ HOME: "/nobody" }).home).toBe("/nobody/.agentos");
});

test("a person's commands are never looked up in the node_modules/.bin that npm put first", () =>
  expect(
    cliConfig(
      env({
        PATH: "/p/node_modules/.bin:/usr/lib/node_modules/npm/node_modules/@npmcli/run-script/lib/node-gyp-bin:/usr/bin:.:/p/node_modules/.bin/",
      }),
    ).toolPath,
  ).toEqual(["/usr/bin"]));

test("a daemon does not inherit what belongs to the npm script that happens to start it", () => {
  const config = cliConfig(env({ AGENTOS_PORT: "8200" }));
  expect(
    daemonEnvironment(
      env({ NODE_OPTIONS: "--inspect", npm_lifecycle_event: "demo", npm_config_registry: "http://r", LANG: "C" }),
      config,
    ),
  ).toEqual({
    AGENTOS_HOME: home,
    AGENTOS_HOST: "127.0.0.1",
    AGENTOS_PORT: "8200",
    AGENTOS_LOGIN_PATH: "/usr/bin:/bin",
    PATH: "/usr/bin:/bin",
    npm_config_registry: "http://r",
    LANG: "C",
  });
});
