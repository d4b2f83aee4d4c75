import { createRoute, type OpenAPIHono, z } from "@hono/zod-openapi";
import { dependenciesFrom, draftChangeFrom, draftFrom } from "../../contract/from-wire.ts";
import {
  AcceptInput,
  ApproveInput,
  BindInput,
  BulkInput,
  DeliverInput,
  DiffQuery,
  EventsQuery,
  Id,
  LogsQuery,
  NewTaskInput,
  NoInput,
  OutputQuery,
  ReasonInput,
  RequestChangesInput,
  ResumeInput,
  SpecChangeInput,
  TaskChangeInput,
  TaskListQuery,
} from "../../contract/inputs.ts";
import { budgetFrom } from "../../contract/model-wire.ts";
import { parse } from "../../contract/parse.ts";
import {
  artifactViews,
  bulkView,
  deliveredView,
  doing,
  eventView,
  foundViews,
  inputViews,
  listView,
  stepView,
  taskView,
  verdictViews,
} from "../../contract/present.ts";
import {
  ArtifactListView,
  BulkView,
  DeliveredView,
  DiffView,
  EventListView,
  EvidenceView,
  LogsView,
  MovedListView,
  OutputView,
  PlanView,
  SpecView,
  TaskListView,
  TaskView,
} from "../../contract/views.ts";
import { reservedId } from "./idempotency.ts";
import { bodyOf, json, jsonBody, jsonOrStream, optionalBody, problems } from "./shapes.ts";
import { asksToFollow, cursorOf, FollowHeaders, follow } from "./stream.ts";
import type { Surface } from "./surface.ts";

const TaskParam = z.object({ id: Id });
const post = (path: string, summary: string, body: z.ZodType) =>
  createRoute({
    method: "post",
    path,
    summary,
    request: { params: TaskParam, body: optionalBody(body) },
    responses: { 200: json(TaskView, "The task as it is now"), ...problems },
  });

/** Parse, call one use case, present. */
export function taskRoutes(api: OpenAPIHono, { cases, person, takeCreation }: Surface): void {
  const { look, answer } = cases;
  const view = async (id: string) => taskView(await look.task(id));

  api.openapi(
    createRoute({
      method: "get",
      path: "/api/tasks",
      summary: "Tasks, a page at a time: narrowed, ordered, searched",
      request: { query: TaskListQuery },
      responses: { 200: json(TaskListView, "A page of tasks"), ...problems },
    }),
    async (c) => {
      const query = c.req.valid("query");
      const { rows, next } = await look.tasks({
        status: query.status ?? null,
        project: query.project ?? null,
        session: query.session ?? null,
        createdBy: query.created_by ?? null,
        blockReason: query.block_reason ?? null,
        exitReason: query.exit_reason ?? null,
        createdFromMs: query.created_from ?? null,
        createdBeforeMs: query.created_before ?? null,
        text: query.text ?? null,
        search: query.search ?? null,
        order: query.sort,
        direction: query.direction,
        after: query.cursor ?? null,
        most: query.limit,
      });
      return c.json(listView(rows, next), 200);
    },
  );

  api.openapi(
    createRoute({
      method: "post",
      path: "/api/tasks",
      summary: "Create a task as a draft",
      request: { body: jsonBody(NewTaskInput) },
      responses: { 201: json(TaskView, "The draft"), ...problems },
    }),
    async (c) => {
      const { created_by, metadata, session, project, priority, requires, suggests, ...spec } = c.req.valid("json");
      await takeCreation(1);
      const made = await cases.createTask(person, {
        id: reservedId(c.req.raw),
        draft: draftFrom(spec),
        createdBy: created_by ?? person.name,
        session: session ?? null,
        metadata: metadata ?? null,
        priority: priority ?? null,
        project: project ?? null,
        dependencies: dependenciesFrom({ requires, suggests }),
      });
      return c.json(await view(made.task.id), 201);
    },
  );

  api.openapi(
    createRoute({
      method: "get",
      path: "/api/tasks/{id}",
      summary: "One task",
      request: { params: TaskParam },
      responses: { 200: json(TaskView, "The task"), ...problems },
    }),
    async (c) => c.json(await view(c.req.valid("param").id), 200),
  );

  api.openapi(
    createRoute({
      method: "patch",
      path: "/api/tasks/{id}",
      summary: "Say how soon it is wanted, or how much a person is asked from now on",
      request: { params: TaskParam, body: jsonBody(TaskChangeInput) },
      responses: { 200: json(TaskView, "The task"), ...problems },
    }),
    async (c) => {
      const { id } = c.req.valid("param");
      const { priority, run_mode } = c.req.valid("json");
      if (priority !== undefined) await answer.prioritize(person, id, priority);
      if (run_mode !== undefined) await answer.changeMode(person, id, run_mode);
      return c.json(await view(id), 200);
    },
  );

  api.openapi(
    createRoute({
      method: "post",
      path: "/api/tasks/bulk",
      summary: "Pause, resume, retry, cancel or accept many tasks, each for itself",
      request: { body: jsonBody(BulkInput) },
      responses: { 200: json(BulkView, "What came of it for each"), ...problems },
    }),
    async (c) => {
      const { verb, dry_run, ids, reason, more_ms, more, ...filter } = c.req.valid("json");
      const { items, next } = await cases.answerMany(person, {
        verb,
        said: { reason: reason ?? null, outcome: null, moreMs: more_ms ?? null, more: budgetFrom(more ?? {}) },
        which:
          ids !== undefined
            ? { ids }
            : {
                status: filter.status ?? null,
                project: filter.project ?? null,
                session: filter.session ?? null,
                after: filter.cursor ?? null,
                most: filter.limit,
              },
        dryRun: dry_run,
      });
      return c.json(bulkView(verb, dry_run, items, next), 200);
    },
  );

  api.openapi(
    createRoute({
      method: "get",
      path: "/api/tasks/{id}/spec",
      summary: "What is to be done: frozen, or the draft",
      request: { params: TaskParam },
      responses: { 200: json(SpecView, "The spec"), ...problems },
    }),
    async (c) => {
      const spec = await look.spec(c.req.valid("param").id);
      return c.json(
        {
          version: spec.version,
          frozen: spec.frozen !== null,
          hash: spec.frozen?.hash ?? null,
          spec: spec.value as unknown as z.infer<typeof SpecView>["spec"],
          canonical: spec.frozen?.text ?? null,
        },
        200,
      );
    },
  );

  api.openapi(
    createRoute({
      method: "patch",
      path: "/api/tasks/{id}/spec",
      summary: "Revise what is wanted; voids freeze, plan and approval",
      request: { params: TaskParam, body: jsonBody(SpecChangeInput) },
      responses: { 200: json(TaskView, "The task, a draft again"), ...problems },
    }),
    async (c) => {
      const { id } = c.req.valid("param");
      await cases.reviseTask(person, id, draftChangeFrom(c.req.valid("json")));
      return c.json(await view(id), 200);
    },
  );

  api.openapi(post("/api/tasks/{id}/spec/freeze", "Freeze the spec under its hash", NoInput), async (c) => {
    const { id } = c.req.valid("param");
    await cases.freezeTask(person, id);
    return c.json(await view(id), 200);
  });
  api.openapi(
    createRoute({
      method: "post",
      path: "/api/tasks/{id}/bind",
      summary: "Bind the task to a project",
      request: { params: TaskParam, body: jsonBody(BindInput) },
      responses: { 200: json(TaskView, "The task"), ...problems },
    }),
    async (c) => {
      const { id } = c.req.valid("param");
      await cases.bindTask(person, id, c.req.valid("json").project);
      return c.json(await view(id), 200);
    },
  );
  api.openapi(post("/api/tasks/{id}/ready", "Let it run", NoInput), async (c) => {
    const { id } = c.req.valid("param");
    await answer.ready(person, id);
    return c.json(await view(id), 200);
  });

  api.openapi(
    createRoute({
      method: "get",
      path: "/api/tasks/{id}/plan",
      summary: "The plan as proposed last",
      request: { params: TaskParam },
      responses: { 200: json(PlanView, "The plan"), ...problems },
    }),
    async (c) => {
      const plan = await look.plan(c.req.valid("param").id);
      return c.json(
        {
          version: plan.version,
          hash: plan.hash,
          approved: plan.approvedBy !== null,
          approved_by: plan.approvedBy,
          plan: plan.value as unknown as z.infer<typeof PlanView>["plan"],
          canonical: plan.text,
        },
        200,
      );
    },
  );
  api.openapi(
    createRoute({
      method: "post",
      path: "/api/tasks/{id}/approve",
      summary: "Say yes to the plan (or work item) that waits",
      request: { params: TaskParam, body: jsonBody(ApproveInput) },
      responses: { 200: json(TaskView, "The task"), ...problems },
    }),
    async (c) => {
      const { id } = c.req.valid("param");
      const { plan, spec, item, reason } = c.req.valid("json");
      await answer.approve(person, id, { plan, spec: spec ?? null, item: item ?? null, reason: reason ?? null });
      return c.json(await view(id), 200);
    },
  );
  api.openapi(
    createRoute({
      method: "post",
      path: "/api/tasks/{id}/request-changes",
      summary: "Ask for another plan",
      request: { params: TaskParam, body: jsonBody(RequestChangesInput) },
      responses: { 200: json(TaskView, "The task"), ...problems },
    }),
    async (c) => {
      const { id } = c.req.valid("param");
      await answer.requestChanges(person, id, c.req.valid("json").request);
      return c.json(await view(id), 200);
    },
  );
  for (const verb of ["reject", "pause", "cancel"] as const)
    api.openapi(post(`/api/tasks/{id}/${verb}`, SUMMARY[verb], ReasonInput), async (c) => {
      const { id } = c.req.valid("param");
      const { reason } = parse(ReasonInput, await bodyOf(c.req));
      await answer[verb](person, id, reason ?? null);
      return c.json(await view(id), 200);
    });
  api.openapi(post("/api/tasks/{id}/resume", "Go on after a wait", ResumeInput), async (c) => {
    const { id } = c.req.valid("param");
    const { outcome, reason, more_ms, more } = parse(ResumeInput, await bodyOf(c.req));
    await answer.resume(person, id, outcome ?? null, reason ?? null, more_ms ?? null, budgetFrom(more ?? {}));
    return c.json(await view(id), 200);
  });
  api.openapi(post("/api/tasks/{id}/retry", "Begin another attempt of a failed task", NoInput), async (c) => {
    const { id } = c.req.valid("param");
    await answer.retry(person, id);
    return c.json(await view(id), 200);
  });
  api.openapi(
    createRoute({
      method: "post",
      path: "/api/tasks/{id}/accept",
      summary: "Accept on record what is not proven",
      request: { params: TaskParam, body: jsonBody(AcceptInput) },
      responses: { 200: json(TaskView, "The task"), ...problems },
    }),
    async (c) => {
      const { id } = c.req.valid("param");
      await answer.accept(person, id, c.req.valid("json").reason);
      return c.json(await view(id), 200);
    },
  );
  api.openapi(
    createRoute({
      method: "post",
      path: "/api/tasks/{id}/deliver",
      summary: "Bring the proven work into the repository",
      request: { params: TaskParam, body: optionalBody(DeliverInput) },
      responses: { 200: json(DeliveredView, "What went where"), ...problems },
    }),
    async (c) => {
      const { id } = c.req.valid("param");
      const { way, branch, push, leave } = parse(DeliverInput, await bodyOf(c.req));
      return c.json(
        deliveredView(
          await cases.deliver({
            task: id,
            way,
            branch: branch ?? null,
            ...(push !== undefined && { push }),
            leave,
            by: person,
          }),
        ),
        200,
      );
    },
  );

  api.openapi(
    createRoute({
      method: "get",
      path: "/api/tasks/{id}/artifacts",
      summary: "What the task stored",
      request: { params: TaskParam },
      responses: { 200: json(ArtifactListView, "Artifacts"), ...problems },
    }),
    async (c) => {
      const { own, from, to } = await look.artifacts(c.req.valid("param").id);
      return c.json({ items: artifactViews(own), from: inputViews(from), to: inputViews(to) }, 200);
    },
  );
  api.openapi(
    createRoute({
      method: "get",
      path: "/api/tasks/{id}/artifacts/{name}",
      summary: "The bytes of one artifact",
      request: { params: z.object({ id: Id, name: z.string().max(200) }) },
      responses: {
        200: { description: "The bytes", content: { "application/octet-stream": { schema: z.string() } } },
        ...problems,
      },
    }),
    async (c) => {
      const { id, name } = c.req.valid("param");
      const { bytes } = await look.artifact(id, name);
      // Never shown in place: what a task stored is made by whoever it let work.
      return c.body(new Uint8Array(bytes), 200, {
        "content-type": "application/octet-stream",
        "content-disposition": `attachment; filename*=UTF-8''${encodeURIComponent(name)}`,
      });
    },
  );

  for (const [path, summary] of [
    ["/api/tasks/{id}/events", "What happened, in order; as text/event-stream it goes on"],
    ["/api/tasks/{id}/audits", "Who did what, when and why"],
  ] as const)
    api.openapi(
      createRoute({
        method: "get",
        path,
        summary,
        request: { params: TaskParam, query: EventsQuery, headers: FollowHeaders },
        responses: { 200: jsonOrStream(EventListView, "Events"), ...problems },
      }),
      async (c) => {
        const { id } = c.req.valid("param");
        const { after, limit } = c.req.valid("query");
        const cursor = cursorOf({ after }, c.req.valid("header"));
        if (asksToFollow(c)) {
          await look.task(id);
          return follow(c, look, cursor, `task/${id}`) as never;
        }
        const events = await look.events(id, cursor, limit);
        return c.json(
          {
            items: events.map((recorded) => eventView(`task/${id}`, recorded)),
            next: events.length < limit ? null : (events.at(-1)?.seq ?? null),
          },
          200,
        );
      },
    );

  api.openapi(
    createRoute({
      method: "get",
      path: "/api/tasks/{id}/evidence",
      summary: "What the system gathered, and what it proves",
      request: { params: TaskParam },
      responses: { 200: json(EvidenceView, "Evidence"), ...problems },
    }),
    async (c) => {
      const { id } = c.req.valid("param");
      const [{ task }, spec, steps] = [await look.task(id), await look.spec(id), await look.steps(id)];
      const criteria = spec.frozen === null || !("nonce" in spec.value) ? [] : spec.value.criteria;
      return c.json(
        {
          criteria: criteria.map(({ id: criterion, text, gate }) => ({
            id: criterion,
            text,
            gate,
            verdict: gate === null ? ("unproven" as const) : (task.verdicts[gate]?.verdict ?? ("unproven" as const)),
          })),
          gates: verdictViews(task),
          review: await look.review(id),
          findings: foundViews(task),
          steps: steps.map(stepView),
        },
        200,
      );
    },
  );

  api.openapi(
    createRoute({
      method: "get",
      path: "/api/tasks/{id}/logs",
      summary: "Output of its steps",
      request: { params: TaskParam, query: LogsQuery },
      responses: { 200: json(LogsView, "Output"), ...problems },
    }),
    async (c) => {
      const { step, bytes } = c.req.valid("query");
      const items = await look.logs(c.req.valid("param").id, step ?? null, bytes);
      return c.json(
        {
          items: items.map(({ step: { step: name, run, act, status }, ...output }) => ({
            step: name,
            run,
            doing: doing(act),
            status,
            ...output,
          })),
        },
        200,
      );
    },
  );

  api.openapi(
    createRoute({
      method: "get",
      path: "/api/tasks/{id}/moved",
      summary: "How far the branches it began on have moved since; a remote one is asked",
      request: { params: TaskParam },
      responses: { 200: json(MovedListView, "Each branch, and whether the work would merge with it"), ...problems },
    }),
    async (c) => {
      const moved = await look.moved(c.req.valid("param").id);
      return c.json({ items: moved.map((one) => ({ ...one, conflicts: [...one.conflicts] })) }, 200);
    },
  );

  api.openapi(
    createRoute({
      method: "get",
      path: "/api/tasks/{id}/output",
      summary: "A part of what one run of a step puts out, also while it runs",
      request: { params: TaskParam, query: OutputQuery },
      responses: { 200: json(OutputView, "The part, and where the next begins"), ...problems },
    }),
    async (c) => {
      const { step, run, offset, bytes } = c.req.valid("query");
      return c.json({ step, run, ...(await look.output(c.req.valid("param").id, step, run, offset, bytes)) }, 200);
    },
  );

  api.openapi(
    createRoute({
      method: "get",
      path: "/api/tasks/{id}/diff",
      summary: "What it changed, base to candidate",
      request: { params: TaskParam, query: DiffQuery },
      responses: { 200: json(DiffView, "The change"), ...problems },
    }),
    async (c) => {
      const repos = await look.diff(c.req.valid("param").id, c.req.valid("query").repo ?? null);
      return c.json(
        {
          repos: Object.fromEntries(
            Object.entries(repos).map(([name, one]) => [
              name,
              {
                ...one,
                changed: one.changed.map(({ path, change, linesAdded, linesRemoved }) => ({
                  path,
                  change,
                  lines_added: linesAdded,
                  lines_removed: linesRemoved,
                })),
              },
            ]),
          ),
        },
        200,
      );
    },
  );
}

const SUMMARY = {
  reject: "Say no to the plan; the task is canceled",
  pause: "Stop at the next boundary",
  cancel: "Stop it for good; its history stays",
} as const;
