/** Shorter ones stand in ordinary text, and are no secrets. */
const SECRET_CHARACTERS_MIN = 6;

export const REDACTED = "[redacted]";

/**
 * The text without the secrets: as they are, URL-encoded, and in base64 at whatever place of a longer text they were encoded. What the
 * same secret would be after compression or encryption is not found.
 */
export function redact(text: string, secrets: readonly string[]): string {
  const forms = secrets
    .filter((secret) => secret.length >= SECRET_CHARACTERS_MIN)
    .flatMap(formsOf)
    // The longest first: a part of one form may be another.
    .sort((one, other) => other.length - one.length);
  let shown = text;
  for (const form of forms) shown = shown.replaceAll(form, REDACTED);
  return shown;
}

function formsOf(secret: string): readonly string[] {
  // encodeURIComponent throws at half of a surrogate pair.
  const encoded = encodeURIComponent(secret.toWellFormed());
  return [
    ...new Set([
      secret,
      encoded,
      encoded.replace(/%[0-9A-F]{2}/g, (percent) => percent.toLowerCase()),
      encoded.replaceAll("%20", "+"),
      ...base64Forms(utf8(secret)),
    ]),
  ];
}

/**
 * Base64 takes three bytes at a time, so the same secret looks different at each of three places; the characters at both ends that also
 * depend on the neighbours are left out.
 */
function base64Forms(bytes: readonly number[]): readonly string[] {
  return [0, 1, 2].flatMap((before) => {
    const all = base64([...Array<number>(before).fill(0), ...bytes]);
    const first = Math.ceil((before * 8) / 6);
    const last = Math.floor(((before + bytes.length) * 8) / 6);
    const sure = all.slice(first, last);
    return [sure, sure.replaceAll("+", "-").replaceAll("/", "_")];
  });
}

const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/** Without padding. */
function base64(bytes: readonly number[]): string {
  let text = "";
  for (let at = 0; at < bytes.length; at += 3) {
    const [a = 0, b = 0, c = 0] = bytes.slice(at, at + 3);
    const word = (a << 16) | (b << 8) | c;
    text += [18, 12, 6, 0].map((shift) => ALPHABET[(word >> shift) & 63]).join("");
  }
  return text;
}

/** The domain has neither Node's Buffer nor a TextEncoder. */
function utf8(text: string): readonly number[] {
  return (encodeURIComponent(text.toWellFormed()).match(/%[0-9A-F]{2}|[^%]/g) ?? []).map((part) =>
    part.length === 3 ? Number.parseInt(part.slice(1), 16) : part.charCodeAt(0),
  );
}
