import type { Draft } from "../../domain/draft.ts";
import type { Status } from "../../domain/task.ts";
import type { ModelTool } from "../../ports/model.ts";

/** One thing a chat can do. `run` gets what the model wrote, unparsed, and says what the model is told; trouble a person can act on is told too. */
export interface ChatTool extends ModelTool {
  run(written: unknown, turn: ChatTurn): Promise<unknown>;
}

/** What a tool may use while one message is answered. */
export interface ChatTurn {
  readonly session: string;
  /** Counts against the limit of task creations; throws `rate/limited` where there were too many. */
  readonly takeCreation: () => Promise<void>;
  /** Records a draft that was left. */
  readonly drafted: (task: string, title: string) => Promise<void>;
}

/** What a model wrote, parsed at the door; each throws `input/invalid` that names what is wrong. */
export interface ChatReading {
  readonly nothing: (written: unknown) => void;
  readonly tasks: (written: unknown) => {
    readonly project: string | null;
    readonly status: readonly Status[] | null;
    readonly search: string | null;
    readonly most: number;
  };
  readonly task: (written: unknown) => string;
  readonly draft: (written: unknown) => { readonly draft: Draft; readonly project: string | null };
  /** JSON Schemas of the same, as a model is shown them. */
  readonly schemas: Readonly<Record<"nothing" | "tasks" | "task" | "draft", Readonly<Record<string, unknown>>>>;
}
