import { BlockList, isIP } from "node:net";

/**
 * Whether a host is an address instead of a name, in any spelling that a resolver or an HTTP client takes for one:
 * IPv4 and IPv6, with brackets or a zone, and the old forms in which parts are decimal, octal or hexadecimal and may be
 * left out (127.1, 2130706433, 0x7f.1, 017700000001).
 */
export const isAddressLiteral = (host: string): boolean => {
  const bare = host.replace(/^\[(.*)\]$/, "$1").replace(/%.*$/, "");
  if (isIP(bare) !== 0 || bare.includes(":")) return true;
  // A name whose last label is a number is an address to the URL standard and to inet_aton; no such domain exists.
  return /^(?:0x[0-9a-f]*|\d+)$/i.test(bare.replace(/\.$/, "").split(".").at(-1) ?? "");
};

/** Whether an address belongs to the machine, its neighbourhood or its hypervisor rather than to the internet. */
export const isPrivateAddress = (address: string): boolean => {
  const embedded = embeddedIPv4(address);
  if (embedded !== null) return NOT_PUBLIC.check(embedded, "ipv4");
  const family = isIP(address);
  if (family === 0) return true; // Not an address at all: nothing to connect to.
  return NOT_PUBLIC.check(address, family === 4 ? "ipv4" : "ipv6");
};

/** Whether an address leads back to this machine's own loopback, where only its own programs listen. */
export const isLoopback = (address: string): boolean => {
  const embedded = embeddedIPv4(address);
  if (embedded !== null) return LOOPBACK.check(embedded, "ipv4");
  const family = isIP(address);
  return family !== 0 && LOOPBACK.check(address, family === 4 ? "ipv4" : "ipv6");
};

const LOOPBACK = new BlockList();
LOOPBACK.addSubnet("127.0.0.0", 8, "ipv4");
// "This host" is connected to as loopback.
LOOPBACK.addSubnet("0.0.0.0", 8, "ipv4");
LOOPBACK.addSubnet("::", 96, "ipv6");

const NOT_PUBLIC = new BlockList();
for (const [network, prefix] of [
  ["0.0.0.0", 8], // this host
  ["10.0.0.0", 8],
  ["100.64.0.0", 10], // carrier-grade NAT, and some clouds' metadata (100.100.100.200)
  ["127.0.0.0", 8],
  ["169.254.0.0", 16], // link-local, and most clouds' metadata
  ["172.16.0.0", 12],
  ["192.0.0.0", 24],
  ["192.168.0.0", 16],
  ["198.18.0.0", 15], // benchmarks
  ["224.0.0.0", 4], // multicast
  ["240.0.0.0", 4], // reserved, broadcast
] as const) {
  NOT_PUBLIC.addSubnet(network, prefix, "ipv4");
}
for (const [network, prefix] of [
  ["::", 96], // unspecified, loopback, the old v4-compatible form
  ["64:ff9b:1::", 48], // local NAT64
  ["100::", 64], // discard
  ["fc00::", 7], // unique local
  ["fe80::", 10], // link-local
  ["fec0::", 10], // site-local
  ["ff00::", 8], // multicast
] as const) {
  NOT_PUBLIC.addSubnet(network, prefix, "ipv6");
}

/** The IPv4 address that a mapped (::ffff:a.b.c.d), NAT64 (64:ff9b::) or 6to4 (2002:) address leads to. */
const embeddedIPv4 = (address: string): string | null => {
  const words = expandIPv6(address);
  if (words === null) return null;
  const [a, b, c, d, e, f, g, h] = words;
  const mapped = a === 0 && b === 0 && c === 0 && d === 0 && e === 0 && f === 0xffff;
  const nat64 = a === 0x64 && b === 0xff9b && c === 0 && d === 0 && e === 0 && f === 0;
  if (mapped || nat64) return dotted(g ?? 0, h ?? 0);
  return a === 0x2002 ? dotted(b ?? 0, c ?? 0) : null;
};

const dotted = (high: number, low: number): string => [high >> 8, high & 255, low >> 8, low & 255].join(".");

/** The eight words of an IPv6 address, or null when it is none. */
const expandIPv6 = (address: string): readonly number[] | null => {
  const bare = address.replace(/%.*$/, "");
  if (isIP(bare) !== 6) return null;
  const hexadecimal = bare.replace(/(\d+)\.(\d+)\.(\d+)\.(\d+)$/, (_, a, b, c, d) =>
    [Number(a) * 256 + Number(b), Number(c) * 256 + Number(d)].map((word) => word.toString(16)).join(":"),
  );
  const [left = "", right] = hexadecimal.split("::");
  const words = (part: string): number[] =>
    part === "" ? [] : part.split(":").map((word) => Number.parseInt(word, 16));
  const head = words(left);
  if (right === undefined) return head;
  const tail = words(right);
  return [...head, ...Array.from({ length: 8 - head.length - tail.length }, () => 0), ...tail];
};
