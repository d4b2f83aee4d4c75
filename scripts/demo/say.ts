const color = process.stdout.isTTY === true && process.env["NO_COLOR"] === undefined;
const paint = (code: number, text: string): string => (color ? `\u001b[${code}m${text}\u001b[0m` : text);

/** Everything the demo tells. Text from a repository is shown with control characters made visible. */
export const say = {
  chapter: (text: string): void => void process.stdout.write(`\n${paint(1, text)}\n`),
  line: (text: string): void => void process.stdout.write(`  ${plain(text)}\n`),
  good: (text: string): void => void process.stdout.write(`  ${paint(32, "✔")} ${plain(text)}\n`),
  bad: (text: string): void => void process.stdout.write(`  ${paint(31, "✘")} ${plain(text)}\n`),
  faint: (text: string): void => void process.stdout.write(`  ${paint(2, plain(text))}\n`),
  trouble: (text: string): void => void process.stderr.write(`demo: ${plain(text)}\n`),
};

const plain = (text: string): string =>
  text.replace(/[^\P{Cc}\n]/gu, (found) => `\\u{${found.charCodeAt(0).toString(16)}}`);
