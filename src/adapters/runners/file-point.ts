const SCRIPT = /\.[cm]?[jt]sx?$/;

/**
 * Whether a passing result stands for a whole test file instead of a test. node's runner reports a file that registered
 * no test (it called `process.exit(0)` first, or has none) as one passed test with the file's name: absolute on Node 20,
 * relative to the working directory on 22 and later. Counting it would let a suite without tests pass. Its own TAP output
 * does not say the file, so there a top-level name that looks like a script path is taken for one.
 */
export function standsForFile(name: string, file: string | null): boolean {
  if (!SCRIPT.test(name)) return false;
  if (file === null) return true;
  return file === name || file.endsWith(`/${name}`) || file.endsWith(`\\${name}`);
}
