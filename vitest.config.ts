import { defineConfig } from "vitest/config";
import { BaseSequencer, type TestSpecification } from "vitest/node";

/** What begins first, because it alone takes as long as many others together; the rest as Vitest orders it, large files first. */
const LONGEST =
  /\/(whole|ways-[a-z]+|cli-every|cli-daemon|cli-task|storm|sandbox|workspaces|foreign-agents)\.test\.ts$/;

class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files);
    const isLong = ({ moduleId }: TestSpecification): boolean => LONGEST.test(moduleId);
    return [...sorted.filter(isLong), ...sorted.filter((file) => !isLong(file))];
  }
}

/**
 * One project per suite of scripts/suites.ts. Processes, not threads: tests start daemons, change
 * environment variables and load a native SQLite, none of which threads of one process can share.
 * Two workers, because the whole is budgeted for two cores and the tests start processes of their own.
 */
export default defineConfig({
  test: {
    pool: "forks",
    maxWorkers: 2,
    sequence: { sequencer: LongestFirst },
    // A forgotten .only must not turn a red suite green.
    allowOnly: false,
    passWithNoTests: false,
    restoreMocks: true,
    unstubEnvs: true,
    coverage: {
      provider: "v8",
      include: ["src/**/*.ts"],
      exclude: ["src/**/*.test.ts"],
      reporter: ["text-summary", "json-summary"],
      reportsDirectory: "coverage",
    },
    projects: [
      suite(
        "unit",
        ["src/**/*.test.ts", "web/src/**/*.test.ts", "test/architecture.test.ts", "test/planted/**/*.test.ts"],
        {
          testSeconds: 20,
          startsPrograms: false,
        },
      ),
      suite("integration", ["test/contract/**/*.test.ts", "test/integration/**/*.test.ts"], {
        testSeconds: 60,
        startsPrograms: true,
      }),
      // Each attack with its control, each cheat to its end: `.ci/run` runs them beside `npm test`, which they would make too long.
      suite("attacks", ["test/attacks/**/*.test.ts", "test/cheats/**/*.test.ts"], {
        testSeconds: 120,
        startsPrograms: true,
      }),
      suite("crash", ["test/crash/**/*.test.ts"], { testSeconds: 300, startsPrograms: true }),
      // Needs a network: not part of `npm test`.
      suite("packages", ["test/packages/**/*.test.ts"], { testSeconds: 2400, startsPrograms: true }),
      // Needs foreign agents, which `npm run test:agents` installs: not part of `npm test`.
      suite("agents", ["test/agents/*.test.ts"], { testSeconds: 600, startsPrograms: true }),
      suite("e2e", ["test/e2e/**/*.test.ts", "web/test/**/*.test.ts"], { testSeconds: 180, startsPrograms: true }),
    ],
  },
});

function suite(name: string, include: string[], wanted: { testSeconds: number; startsPrograms: boolean }) {
  const testTimeout = wanted.testSeconds * 1000;
  const globalSetup = wanted.startsPrograms ? ["test/support/bundled.ts"] : [];
  return {
    extends: true as const,
    test: {
      name,
      include,
      globalSetup,
      setupFiles: ["test/support/threads.ts"],
      testTimeout,
      hookTimeout: testTimeout,
      teardownTimeout: 20_000,
    },
  };
}
