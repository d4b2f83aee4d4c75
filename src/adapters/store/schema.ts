import type { Tx } from "./database.ts";
import { eachTask, refoldProjects, refoldTasks } from "./refold.ts";
import { fillWords, type TextOf } from "./task-words.ts";

export interface Migration {
  readonly version: number;
  readonly name: string;
  readonly sql: string;
  /** Fills what SQL alone cannot fill from what is there, in the same transaction. */
  readonly fill?: (tx: Tx, said: TextOf) => Promise<void>;
}

/**
 * The schema, step by step. A step that was released is never edited: its checksum stands in the databases it made. What hashes
 * and order rest on (`events`, `log_leaves`) is right from the first one.
 *
 * The guards of the journal refuse UPDATE and DELETE, and an INSERT anywhere but at the end of a stream, because REPLACE deletes
 * without firing delete triggers on a connection that did not ask for them. For the same reason an explicit rowid that is taken is refused.
 */
export const MIGRATIONS: readonly Migration[] = [
  {
    version: 1,
    name: "journal, projections, operations",
    sql: `
CREATE TABLE events (
  stream TEXT NOT NULL,
  seq INTEGER NOT NULL CHECK (seq > 0),
  type TEXT NOT NULL,
  v INTEGER NOT NULL CHECK (v > 0),
  at_ms INTEGER NOT NULL,
  actor TEXT NOT NULL,
  body TEXT NOT NULL,
  prev_hash TEXT NOT NULL,
  hash TEXT NOT NULL,
  PRIMARY KEY (stream, seq)
) STRICT;

CREATE TABLE log_leaves (
  position INTEGER PRIMARY KEY CHECK (position > 0),
  stream TEXT NOT NULL,
  seq INTEGER NOT NULL,
  hash TEXT NOT NULL,
  UNIQUE (stream, seq),
  FOREIGN KEY (stream, seq) REFERENCES events (stream, seq)
) STRICT;

CREATE TABLE projects (
  id TEXT PRIMARY KEY,
  name TEXT NOT NULL,
  deleted INTEGER NOT NULL CHECK (deleted IN (0, 1)),
  created_at_ms INTEGER NOT NULL,
  seq INTEGER NOT NULL,
  state TEXT NOT NULL
) STRICT;
CREATE UNIQUE INDEX projects_living_name ON projects (name) WHERE deleted = 0;

CREATE TABLE repos (
  id TEXT PRIMARY KEY,
  project_id TEXT NOT NULL REFERENCES projects (id),
  ordinal INTEGER NOT NULL,
  name TEXT NOT NULL,
  path TEXT NOT NULL,
  state TEXT NOT NULL
) STRICT;
CREATE INDEX repos_path ON repos (path);
CREATE INDEX repos_project ON repos (project_id);

CREATE TABLE tasks (
  id TEXT PRIMARY KEY,
  title TEXT NOT NULL,
  title_folded TEXT NOT NULL,
  session TEXT NOT NULL,
  status TEXT NOT NULL CHECK (status IN ('draft', 'queued', 'running', 'awaiting_approval', 'blocked', 'succeeded', 'failed', 'canceled')),
  phase TEXT NOT NULL CHECK (phase IN ('intent', 'planning', 'implementation', 'verification')),
  attempt INTEGER NOT NULL,
  block_reason TEXT,
  block_detail TEXT,
  exit_reason TEXT,
  project_id TEXT REFERENCES projects (id),
  created_by TEXT NOT NULL,
  created_at_ms INTEGER NOT NULL,
  updated_at_ms INTEGER NOT NULL,
  queued_at_ms INTEGER,
  seq INTEGER NOT NULL,
  state TEXT NOT NULL,
  CONSTRAINT what_runs_has_a_project CHECK (project_id IS NOT NULL OR status IN ('draft', 'canceled')),
  CONSTRAINT what_is_blocked_says_why CHECK ((status = 'blocked') = (block_reason IS NOT NULL)),
  CONSTRAINT what_ended_says_why CHECK ((status IN ('succeeded', 'failed', 'canceled')) = (exit_reason IS NOT NULL))
) STRICT;
CREATE INDEX tasks_newest ON tasks (created_at_ms, id);
CREATE INDEX tasks_status ON tasks (status, created_at_ms, id);
CREATE INDEX tasks_session ON tasks (session, created_at_ms, id);
CREATE INDEX tasks_project ON tasks (project_id, created_at_ms, id);
CREATE INDEX tasks_queue ON tasks (queued_at_ms, id) WHERE status = 'queued';

CREATE TABLE specs (
  task TEXT NOT NULL REFERENCES tasks (id),
  version INTEGER NOT NULL,
  seq INTEGER NOT NULL,
  hash TEXT NOT NULL,
  text TEXT NOT NULL,
  PRIMARY KEY (task, version)
) STRICT, WITHOUT ROWID;

CREATE TABLE plans (
  task TEXT NOT NULL REFERENCES tasks (id),
  version INTEGER NOT NULL,
  seq INTEGER NOT NULL,
  hash TEXT NOT NULL,
  text TEXT NOT NULL,
  PRIMARY KEY (task, version)
) STRICT, WITHOUT ROWID;

CREATE TABLE steps (
  task TEXT NOT NULL REFERENCES tasks (id),
  started_seq INTEGER NOT NULL,
  step TEXT NOT NULL,
  run INTEGER NOT NULL,
  item TEXT,
  kind TEXT NOT NULL,
  status TEXT NOT NULL CHECK (status IN ('open', 'completed', 'failed', 'lost')),
  ended_seq INTEGER,
  started_at_ms INTEGER NOT NULL,
  ended_at_ms INTEGER,
  PRIMARY KEY (task, started_seq),
  CHECK ((status = 'open') = (ended_seq IS NULL))
) STRICT, WITHOUT ROWID;
CREATE INDEX steps_open ON steps (task) WHERE status = 'open';

CREATE TABLE leases (
  task TEXT PRIMARY KEY REFERENCES tasks (id),
  worker TEXT NOT NULL,
  epoch INTEGER NOT NULL,
  pid INTEGER NOT NULL,
  start_ticks INTEGER NOT NULL,
  boot_id TEXT NOT NULL
) STRICT;

CREATE TABLE processes (
  task TEXT NOT NULL,
  step TEXT NOT NULL,
  pid INTEGER NOT NULL,
  start_ticks INTEGER NOT NULL,
  boot_id TEXT NOT NULL,
  PRIMARY KEY (task, pid, start_ticks, boot_id)
) STRICT;

CREATE TABLE idempotency (
  key TEXT PRIMARY KEY,
  request_digest TEXT NOT NULL,
  status INTEGER NOT NULL,
  body TEXT NOT NULL,
  at_ms INTEGER NOT NULL
) STRICT;
CREATE INDEX idempotency_age ON idempotency (at_ms);

CREATE TABLE limits (
  key TEXT NOT NULL,
  window_ms INTEGER NOT NULL,
  at_ms INTEGER NOT NULL,
  expires_at_ms INTEGER NOT NULL,
  points INTEGER NOT NULL
) STRICT;
CREATE INDEX limits_key ON limits (key, window_ms, expires_at_ms);
CREATE INDEX limits_age ON limits (expires_at_ms);

CREATE TABLE blobs (
  digest TEXT PRIMARY KEY,
  bytes INTEGER NOT NULL,
  salt BLOB,
  content BLOB,
  CONSTRAINT what_is_erased_left_nothing CHECK (salt IS NOT NULL OR content IS NULL)
) STRICT;

CREATE TRIGGER events_keep_their_content BEFORE UPDATE ON events
BEGIN SELECT RAISE(ABORT, 'the journal is append-only: an event is never changed'); END;
CREATE TRIGGER events_are_never_deleted BEFORE DELETE ON events
BEGIN SELECT RAISE(ABORT, 'the journal is append-only: an event is never deleted'); END;
CREATE TRIGGER events_grow_at_the_end BEFORE INSERT ON events
WHEN NEW.seq <> 1 + (SELECT COALESCE(MAX(seq), 0) FROM events WHERE stream = NEW.stream)
  OR EXISTS (SELECT 1 FROM events WHERE rowid = NEW.rowid)
BEGIN SELECT RAISE(ABORT, 'the journal is append-only: an event goes to the end of its stream'); END;

CREATE TRIGGER log_leaves_keep_their_content BEFORE UPDATE ON log_leaves
BEGIN SELECT RAISE(ABORT, 'the journal is append-only: its order is never changed'); END;
CREATE TRIGGER log_leaves_are_never_deleted BEFORE DELETE ON log_leaves
BEGIN SELECT RAISE(ABORT, 'the journal is append-only: its order is never changed'); END;
CREATE TRIGGER log_leaves_grow_at_the_end BEFORE INSERT ON log_leaves
WHEN NEW.position <> 1 + (SELECT COALESCE(MAX(position), 0) FROM log_leaves)
  OR EXISTS (SELECT 1 FROM log_leaves WHERE stream = NEW.stream AND seq = NEW.seq)
BEGIN SELECT RAISE(ABORT, 'the journal is append-only: its order grows at the end'); END;

CREATE TRIGGER specs_keep_their_content BEFORE UPDATE ON specs
BEGIN SELECT RAISE(ABORT, 'a frozen spec is never changed'); END;
CREATE TRIGGER specs_are_never_deleted BEFORE DELETE ON specs
BEGIN SELECT RAISE(ABORT, 'a frozen spec is never deleted'); END;
CREATE TRIGGER specs_are_never_replaced BEFORE INSERT ON specs
WHEN EXISTS (SELECT 1 FROM specs WHERE task = NEW.task AND version = NEW.version)
BEGIN SELECT RAISE(ABORT, 'a frozen spec is never replaced'); END;

CREATE TRIGGER plans_keep_their_content BEFORE UPDATE ON plans
BEGIN SELECT RAISE(ABORT, 'a proposed plan is never changed'); END;
CREATE TRIGGER plans_are_never_deleted BEFORE DELETE ON plans
BEGIN SELECT RAISE(ABORT, 'a proposed plan is never deleted'); END;
CREATE TRIGGER plans_are_never_replaced BEFORE INSERT ON plans
WHEN EXISTS (SELECT 1 FROM plans WHERE task = NEW.task AND version = NEW.version)
BEGIN SELECT RAISE(ABORT, 'a proposed plan is never replaced'); END;
`,
  },
  {
    version: 3,
    name: "task dependencies and forks",
    sql: `
CREATE TABLE task_dependencies (
  task TEXT NOT NULL REFERENCES tasks (id),
  on_task TEXT NOT NULL REFERENCES tasks (id),
  kind TEXT NOT NULL CHECK (kind IN ('requires', 'blocks', 'suggests')),
  seq INTEGER NOT NULL,
  PRIMARY KEY (task, on_task),
  CHECK (task <> on_task)
) STRICT, WITHOUT ROWID;
CREATE INDEX task_dependencies_on ON task_dependencies (on_task, task);

CREATE TABLE task_forks (
  task TEXT PRIMARY KEY REFERENCES tasks (id),
  origin TEXT NOT NULL REFERENCES tasks (id),
  root TEXT NOT NULL REFERENCES tasks (id),
  seq INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX task_forks_root ON task_forks (root, task);
`,
  },
  {
    version: 4,
    name: "priorities, limits and pauses of projects",
    fill: refoldProjects,
    sql: `
ALTER TABLE tasks ADD COLUMN priority TEXT NOT NULL DEFAULT 'normal' CHECK (priority IN ('low', 'normal', 'high', 'urgent'));
DROP INDEX tasks_queue;
CREATE INDEX tasks_queue ON tasks (project_id, priority, queued_at_ms, id) WHERE status = 'queued';
ALTER TABLE projects ADD COLUMN tasks_max INTEGER CHECK (tasks_max > 0);
ALTER TABLE projects ADD COLUMN paused INTEGER NOT NULL DEFAULT 0 CHECK (paused IN (0, 1));
`,
  },
  {
    version: 6,
    name: "lists in every order, and words to find tasks by",
    fill: (tx, said) => eachTask(tx, (task) => fillWords(tx, said, task)),
    // Each order has one index that also holds whatever a list can be narrowed by: a row is read only when it is shown.
    sql: `
DROP INDEX tasks_newest;
DROP INDEX tasks_status;
DROP INDEX tasks_session;
DROP INDEX tasks_project;
CREATE INDEX tasks_by_created ON tasks (created_at_ms, id, status, project_id, session, created_by, block_reason, exit_reason);
CREATE INDEX tasks_by_updated ON tasks (updated_at_ms, id, status, project_id, session, created_by, block_reason, exit_reason, created_at_ms);
CREATE INDEX tasks_by_title ON tasks (title_folded, id, status, project_id, session, created_by, block_reason, exit_reason, created_at_ms);
CREATE INDEX tasks_by_status ON tasks (status, created_at_ms, id, project_id, session, created_by, block_reason, exit_reason);
CREATE INDEX tasks_by_session ON tasks (session, created_at_ms, id, status, project_id, created_by, block_reason, exit_reason);
CREATE INDEX tasks_by_project ON tasks (project_id, created_at_ms, id, status, session, created_by, block_reason, exit_reason);

CREATE TABLE task_words (
  number INTEGER PRIMARY KEY,
  task TEXT NOT NULL UNIQUE REFERENCES tasks (id),
  title TEXT NOT NULL,
  intent TEXT NOT NULL,
  criteria TEXT NOT NULL,
  project TEXT NOT NULL
) STRICT;
CREATE VIRTUAL TABLE task_search USING fts5 (task, title, intent, criteria, project, content = 'task_words', content_rowid = 'number', tokenize = 'unicode61 remove_diacritics 2');
CREATE TRIGGER task_words_are_found AFTER INSERT ON task_words
BEGIN
  INSERT INTO task_search (rowid, task, title, intent, criteria, project) VALUES (NEW.number, NEW.task, NEW.title, NEW.intent, NEW.criteria, NEW.project);
END;
CREATE TRIGGER task_words_are_found_as_they_are AFTER UPDATE ON task_words
BEGIN
  INSERT INTO task_search (task_search, rowid, task, title, intent, criteria, project) VALUES ('delete', OLD.number, OLD.task, OLD.title, OLD.intent, OLD.criteria, OLD.project);
  INSERT INTO task_search (rowid, task, title, intent, criteria, project) VALUES (NEW.number, NEW.task, NEW.title, NEW.intent, NEW.criteria, NEW.project);
END;
CREATE TRIGGER task_words_are_forgotten AFTER DELETE ON task_words
BEGIN
  INSERT INTO task_search (task_search, rowid, task, title, intent, criteria, project) VALUES ('delete', OLD.number, OLD.task, OLD.title, OLD.intent, OLD.criteria, OLD.project);
END;
`,
  },
  {
    version: 7,
    name: "questions, permissions and spending in the state of a task",
    sql: "",
  },
  {
    version: 8,
    name: "providers of models",
    sql: `
CREATE TABLE providers (
  id TEXT PRIMARY KEY,
  kind TEXT NOT NULL,
  status TEXT NOT NULL,
  removed INTEGER NOT NULL CHECK (removed IN (0, 1)),
  created_at_ms INTEGER NOT NULL,
  seq INTEGER NOT NULL,
  state TEXT NOT NULL
) STRICT;
`,
  },
  {
    version: 9,
    name: "finished steps beside the state of their task",
    sql: `
CREATE TABLE finished_steps (
  task TEXT NOT NULL REFERENCES tasks (id),
  step TEXT NOT NULL,
  seq INTEGER NOT NULL,
  state TEXT NOT NULL,
  PRIMARY KEY (task, step)
) STRICT, WITHOUT ROWID;
`,
  },
  {
    version: 10,
    name: "fewer pages per event",
    // What an event costs is above all the pages it changes, and an index by stream has one for each stream.
    //   order     an event's position is its rowid, so the order needs no index by stream; where each stream ends is said once, beside it
    //   steps     a step's row is written when it ends; until then it stands among the open ones, of which a task has one at most
    //   finished  what an ended step gave, for as long as it may be asked for again
    //   lasting   the facts of a task that few of its events change
    sql: `
CREATE TABLE log_order (
  position INTEGER PRIMARY KEY CHECK (position > 0),
  stream TEXT NOT NULL,
  seq INTEGER NOT NULL,
  hash TEXT NOT NULL
) STRICT;
INSERT INTO log_order SELECT position, stream, seq, hash FROM log_leaves ORDER BY position;
DROP TABLE log_leaves;
ALTER TABLE log_order RENAME TO log_leaves;
CREATE TRIGGER log_leaves_keep_their_content BEFORE UPDATE ON log_leaves
BEGIN SELECT RAISE(ABORT, 'the journal is append-only: its order is never changed'); END;
CREATE TRIGGER log_leaves_are_never_deleted BEFORE DELETE ON log_leaves
BEGIN SELECT RAISE(ABORT, 'the journal is append-only: its order is never changed'); END;
CREATE TRIGGER log_leaves_grow_at_the_end BEFORE INSERT ON log_leaves
WHEN NEW.position <> 1 + (SELECT COALESCE(MAX(position), 0) FROM log_leaves)
  OR NOT EXISTS (SELECT 1 FROM events WHERE rowid = NEW.position AND stream = NEW.stream AND seq = NEW.seq AND hash = NEW.hash)
BEGIN SELECT RAISE(ABORT, 'the journal is append-only: its order grows at the end'); END;

CREATE TABLE stream_heads (
  stream TEXT PRIMARY KEY,
  seq INTEGER NOT NULL,
  hash TEXT NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO stream_heads SELECT stream, MAX(seq), hash FROM events GROUP BY stream;
CREATE TRIGGER stream_heads_only_go_on BEFORE UPDATE ON stream_heads
WHEN NEW.stream <> OLD.stream OR NEW.seq <= OLD.seq
  OR NOT EXISTS (SELECT 1 FROM events WHERE stream = NEW.stream AND seq = NEW.seq AND hash = NEW.hash)
BEGIN SELECT RAISE(ABORT, 'the journal is append-only: a stream ends with its last event'); END;
CREATE TRIGGER stream_heads_are_never_deleted BEFORE DELETE ON stream_heads
BEGIN SELECT RAISE(ABORT, 'the journal is append-only: a stream ends with its last event'); END;
CREATE TRIGGER stream_heads_begin_once BEFORE INSERT ON stream_heads
WHEN EXISTS (SELECT 1 FROM stream_heads WHERE stream = NEW.stream)
  OR NOT EXISTS (SELECT 1 FROM events WHERE stream = NEW.stream AND seq = NEW.seq AND hash = NEW.hash)
BEGIN SELECT RAISE(ABORT, 'the journal is append-only: a stream ends with its last event'); END;

CREATE TABLE open_steps (
  task TEXT PRIMARY KEY REFERENCES tasks (id),
  started_seq INTEGER NOT NULL,
  step TEXT NOT NULL,
  run INTEGER NOT NULL,
  item TEXT,
  kind TEXT NOT NULL,
  started_at_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE ended_steps (
  task TEXT NOT NULL REFERENCES tasks (id),
  started_seq INTEGER NOT NULL,
  step TEXT NOT NULL,
  run INTEGER NOT NULL,
  item TEXT,
  kind TEXT NOT NULL,
  started_at_ms INTEGER NOT NULL,
  status TEXT NOT NULL CHECK (status IN ('completed', 'failed', 'lost')),
  ended_seq INTEGER NOT NULL,
  ended_at_ms INTEGER NOT NULL,
  finished TEXT,
  PRIMARY KEY (task, started_seq)
) STRICT, WITHOUT ROWID;
INSERT INTO open_steps SELECT task, started_seq, step, run, item, kind, started_at_ms FROM steps WHERE status = 'open';
INSERT INTO ended_steps
SELECT task, started_seq, step, run, item, kind, started_at_ms, status, ended_seq, ended_at_ms, NULL FROM steps WHERE status <> 'open';
DROP TABLE steps;
DROP TABLE finished_steps;

CREATE TABLE lasting_facts (
  task TEXT PRIMARY KEY REFERENCES tasks (id),
  state TEXT NOT NULL
) STRICT, WITHOUT ROWID;
`,
  },
  {
    version: 11,
    name: "refusals beside the steps that ended",
    fill: refoldTasks,
    // A refused act was never begun, so no step's row can hold what its agent was told.
    sql: `
CREATE TABLE refused_steps (
  task TEXT NOT NULL REFERENCES tasks (id),
  seq INTEGER NOT NULL,
  step TEXT NOT NULL,
  finished TEXT NOT NULL,
  PRIMARY KEY (task, seq)
) STRICT, WITHOUT ROWID;
`,
  },
];
