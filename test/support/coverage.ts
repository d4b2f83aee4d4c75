/** What a process that a test starts needs in its environment to write down what it ran (npm run coverage); nothing otherwise. */
export const coverageEnvironment = (): Readonly<Record<string, string>> => {
  const directory = process.env["AGENTOS_TEST_COVERAGE"];
  return directory === undefined ? {} : { NODE_V8_COVERAGE: directory };
};

/** Whether `npm run coverage` runs the tests. */
export const isCounting = (): boolean => process.env["AGENTOS_TEST_COVERAGE"] !== undefined;
