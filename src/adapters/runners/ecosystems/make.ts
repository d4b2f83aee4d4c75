import { STDOUT, type TestRunner } from "../test-runner.ts";
import { all, type Ecosystem, testsGate } from "./ecosystem.ts";

const MAKE: TestRunner = {
  name: "make",
  report: "summary",
  place: STDOUT,
  reach: "stdout",
  configuration: ["GNUmakefile", "makefile", "Makefile"],
  arguments: () => [],
  environment: () => ({}),
};

/** Conventional targets, the one that GNU's standards name first. */
const TARGETS = ["check", "test", "tests"] as const;

/** A Makefile that has nothing better beside it: often it only calls one of the others. */
export const make: Ecosystem = {
  manifest: /^(?:GNUm|m|M)akefile$/,
  looksFor: "a Makefile with a target check or test",
  runners: [MAKE],
  lastResort: true,
  async look({ folder, files }) {
    if (folder !== ".") return null;
    for (const path of MAKE.configuration) {
      const text = await files.text(path);
      if (text === null) continue;
      const target = TARGETS.find((name) =>
        new RegExp(`^(?:[\\w.-]+ +)*${name}(?: +[\\w.-]+)*\\s*:(?!=)`, "m").test(text),
      );
      return {
        tool: "make",
        gates:
          target === undefined
            ? []
            : [{ ...testsGate(["make", target], MAKE, { parts: [path] }), judgement: "exit" as const }],
        prepare: null,
        notes: [
          target === undefined
            ? `${path} has no target ${TARGETS.join(", ")}, so there is no gate tests`
            : `make ${target} is judged by its exit code, and by the counts of its output where it prints a summary that is known here`,
        ],
        covers: all,
      };
    }
    return null;
  },
};
