import type { Launcher } from "../domain/launchers.ts";
import type { AgentListView, AgentProbeView, AgentTestView } from "./views.ts";

export const agentListView = (
  known: readonly { readonly launcher: Launcher; readonly path: string | null }[],
): AgentListView => ({
  items: known.map(({ launcher, path }) => ({
    name: launcher.name,
    title: launcher.title,
    command: [launcher.programs[0] ?? "", ...launcher.args],
    path,
    install: launcher.install,
    usual_hosts: [...launcher.usualHosts],
    plans: launcher.planMode !== null,
    quirk: launcher.quirk,
  })),
});

export const agentProbeView = (probe: {
  readonly protocol: number;
  readonly agent: string | null;
  readonly version: string | null;
  readonly canLoadSession: boolean;
  readonly authMethods: readonly string[];
  readonly modes: readonly string[];
  readonly trouble: string | null;
}): AgentProbeView => ({
  protocol: probe.protocol,
  agent: probe.agent,
  version: probe.version,
  loads_sessions: probe.canLoadSession,
  auth_methods: [...probe.authMethods],
  modes: [...probe.modes],
  trouble: probe.trouble,
});

export const agentTestView = (trial: {
  readonly stop: string;
  readonly message: string;
  readonly changed: readonly string[];
  readonly asked: readonly string[];
  readonly denied: readonly string[];
  readonly trouble: string | null;
}): AgentTestView => ({
  stop: trial.stop,
  message: trial.message,
  changed: [...trial.changed],
  asked: [...trial.asked],
  denied: [...trial.denied],
  trouble: trial.trouble,
});
