import { STDOUT, type TestRunner } from "../test-runner.ts";
import { all, type Ecosystem, testsGate } from "./ecosystem.ts";

const PROVE: TestRunner = {
  name: "prove",
  report: "prove",
  place: STDOUT,
  reach: "stdout",
  configuration: [".proverc"],
  arguments: () => [],
  environment: () => ({}),
};

export const perl: Ecosystem = {
  manifest: /^(?:Makefile\.PL|Build\.PL|cpanfile|dist\.ini)$/,
  looksFor: "Makefile.PL",
  runners: [PROVE],
  look: async ({ paths }) => {
    const tested = paths.some((path) => /^t\/.*\.t$/.test(path));
    return {
      tool: "perl",
      gates: tested ? [testsGate(["prove", "-l", "-r", "t"], PROVE, { parts: PROVE.configuration })] : [],
      prepare: null,
      notes: tested ? [] : ["there is no t/*.t, so there is no gate tests"],
      covers: all,
    };
  },
};
