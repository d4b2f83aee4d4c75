/** Names of streams. A stream is the unit of order and of the race for the next seq. */
export const taskStream = (id: string): string => `task/${id}`;
export const projectStream = (id: string): string => `project/${id}`;
export const providerStream = (id: string): string => `provider/${id}`;
/** Which models are used where nobody else says. */
export const MODEL_POLICY_STREAM = "policy/models";
export const chatStream = (session: string): string => `chat/${session}`;
/** The policies of a project by its id, or of the person (`USER_POLICY`). */
export const policyStream = (scope: string): string => `policy/${scope}`;
export const USER_POLICY = "user";
export const SYSTEM_STREAM = "system";

export type StreamKind = "task" | "project" | "policy" | "provider" | "chat" | "system";

export const streamId = (stream: string): string => stream.slice(stream.indexOf("/") + 1);
export const streamKind = (stream: string): string =>
  stream.includes("/") ? stream.slice(0, stream.indexOf("/")) : stream;
