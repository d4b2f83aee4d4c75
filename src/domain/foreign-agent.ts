/** What a person lets a foreign agent have. Nothing is handed in that is not named here. */
export interface AgentGrants {
  /** `host:port` of its model; everything else stays closed. */
  readonly hosts: readonly string[];
  /** Variables of the daemon's environment, by name. */
  readonly variables: readonly string[];
  /** Files below the person's home, put read-only at the same place of the agent's home. */
  readonly files: readonly string[];
}

export const NO_GRANTS: AgentGrants = { hosts: [], variables: [], files: [] };

/** An agent that speaks ACP: a launcher by name, or `custom` with a command of its own. */
export interface AcpChoice {
  readonly kind: "acp";
  readonly agent: string;
  readonly argv: readonly string[] | null;
  readonly grants: AgentGrants;
}

/** A command that gets the prompt and does what it does: for agents without ACP. */
export interface CommandChoice {
  readonly kind: "command";
  readonly argv: readonly string[];
  readonly grants: AgentGrants;
}

export type ForeignChoice = AcpChoice | CommandChoice;

/** A foreign agent as a person names it; what it is let have comes from the project when the spec is frozen. */
export type NamedForeign = Omit<AcpChoice, "grants"> | Omit<CommandChoice, "grants">;
