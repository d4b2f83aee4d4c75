import { z } from "zod";
import { STATUSES } from "../domain/task.ts";
import { draftFrom } from "./from-wire.ts";
import { Id, SpecInput } from "./inputs.ts";
import { parse } from "./parse.ts";

/** What a person says in one message. Control characters are kept out of the store at the door, as everywhere. */
export const ChatInput = z.strictObject({
  text: SpecInput.shape.intent.unwrap().refine((text) => text.trim() !== "", "must not be empty"),
});
export const ChatParam = z.object({
  session: z
    .string()
    .regex(
      /^[A-Za-z0-9][A-Za-z0-9_.:-]{0,99}$/,
      "must be letters, digits, dot, dash, colon or underscore, 100 at most",
    ),
});

const Nothing = z.strictObject({});
const Tasks = z.strictObject({
  project: z.string().min(1).max(200).optional().describe("only of this project, by name or id"),
  status: z.array(z.enum(STATUSES)).min(1).optional().describe("only in one of these statuses"),
  search: z.string().min(1).max(500).optional().describe("words in title, intent or criteria"),
  limit: z.int().min(1).max(50).default(20),
});
const Task = z.strictObject({ id: Id.describe("the whole id") });
/** Nothing that says who works, how much a person is asked, or what is run: that is a person's to add. */
const Draft = z.strictObject({
  title: SpecInput.shape.title.describe("what is to be done, in one line"),
  intent: SpecInput.shape.intent.describe("the same at length, with all the person said that matters"),
  criteria: z.array(z.string().min(1).max(2_000)).max(50).optional().describe("what must be true when it is done"),
  constraints: SpecInput.shape.constraints.describe("what the work must not do"),
  project: z.string().min(1).max(200).optional().describe("the project it is for, by name or id"),
});

const WHAT = "what the model asked for";

/** What a model in a chat writes for its tools, parsed; and the same as schemas it is shown. */
export const chatReading = {
  nothing: (written: unknown): void => void parse(Nothing, written, WHAT),
  tasks(written: unknown) {
    const { project, status, search, limit } = parse(Tasks, written, WHAT);
    return { project: project ?? null, status: status ?? null, search: search ?? null, most: limit };
  },
  task: (written: unknown): string => parse(Task, written, WHAT).id,
  draft(written: unknown) {
    const { project, ...spec } = parse(Draft, written, WHAT);
    return { draft: draftFrom(parse(SpecInput, spec, WHAT)), project: project ?? null };
  },
  schemas: {
    nothing: z.toJSONSchema(Nothing, { io: "input" }),
    tasks: z.toJSONSchema(Tasks, { io: "input" }),
    task: z.toJSONSchema(Task, { io: "input" }),
    draft: z.toJSONSchema(Draft, { io: "input" }),
  },
};
