import { afterDeathAt, atEachPoint, atNames, atNameThen } from "./exhaust.ts";
import { canceled, interactive, outside, paused, stopped } from "./journeys.ts";
import { MIDDLE, testWays } from "./ways.ts";

/* What people do to a task that runs, and what they are asked. */
testWays([
  {
    says: "a task that is canceled in the middle of a command ends canceled",
    journey: canceled,
    own: atNames(
      MIDDLE,
      "before task: CANCEL_REQUESTED",
      "after task: CANCEL_REQUESTED",
      "before task: STEP_LOST",
      "after task: STEP_LOST",
      "after task: CANCELED",
    ),
    all: atEachPoint,
  },
  {
    says: "a task that is paused in the middle of a command waits at the next boundary, and goes on when it is resumed",
    journey: paused,
    own: atNames(
      "after task: PAUSE_REQUESTED",
      "before task: BLOCKED",
      "after task: BLOCKED",
      "before task: RESUMED",
      "after task: RESUMED",
    ),
    all: atEachPoint,
  },
  {
    says: "a daemon that is killed while it stops in good order leaves nothing that the next one does not find",
    journey: stopped,
    own: atNames(
      "before task: STEP_LOST",
      "after task: STEP_LOST",
      "after task: QUEUED",
      "before system: DAEMON_STOPPED",
      "after system: DAEMON_STOPPED",
    ),
    all: atEachPoint,
  },
  {
    says: "a task that asks before its plan and before its items asks again after a death, for the same",
    journey: interactive,
    own: atNames(
      "after task: PLAN_PROPOSED",
      "before task: CHANGES_REQUESTED",
      "after task: CHANGES_REQUESTED",
      "before task: PLAN_APPROVED",
      "after task: PLAN_APPROVED",
      "after task: WORK_ITEM_PROPOSED",
      "after task: WORK_ITEM_APPROVED",
    ),
    all: atEachPoint,
  },
  {
    says: "a command that may reach outside is begun again only on a person's word",
    journey: outside("redo"),
    own: atNames("at the process of .*go\\.2", MIDDLE, "after the command of .*go\\.2"),
    all: atEachPoint,
  },
  {
    says: "a person says again what became of a command that may reach outside, when a death lost it",
    journey: outside("redo"),
    own: atNameThen(
      MIDDLE,
      "before task: BLOCKED",
      "after task: BLOCKED",
      "before task: OUTCOME_SETTLED",
      "after task: OUTCOME_SETTLED",
      "before task: STEP_LOST",
      "after task: STEP_LOST",
    ),
    all: afterDeathAt(MIDDLE),
  },
  {
    says: "a person's word that an interrupted command took effect stands, and it is not run again",
    journey: outside("done"),
    own: atNameThen(MIDDLE, "after task: OUTCOME_SETTLED", "before task: STEP_COMPLETED", "after task: STEP_COMPLETED"),
    all: afterDeathAt(MIDDLE),
  },
  {
    says: "a person's word that an interrupted command is aborted stands, and it is not run again",
    journey: outside("abort"),
    own: atNameThen(MIDDLE, "after task: OUTCOME_SETTLED", "before task: STEP_FAILED", "after task: STEP_FAILED"),
    all: afterDeathAt(MIDDLE),
  },
]);
