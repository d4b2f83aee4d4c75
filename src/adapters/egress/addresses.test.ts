import { expect, test } from "vitest";
import { isAddressLiteral, isPrivateAddress } from "./addresses.ts";

test.each([
  "1.2.3.4",
  "1.2.3.4.",
  "127.1",
  "0",
  "2130706433",
  "0x7f000001",
  "0X7F.1",
  "017700000001",
  "[::1]",
  "::1",
  "fe80::1%eth0",
  "a.b.1",
  "0x",
])("%s is an address", (host) => expect(isAddressLiteral(host)).toBe(true));

test.each([
  "example.com",
  "example.com.",
  "1.example",
  "0x7f.example",
  "xn--bcher-kva.example",
  "a1",
  "localhost",
  "dead.beef",
])("%s is a name", (host) => expect(isAddressLiteral(host)).toBe(false));

test.each([
  "127.0.0.1",
  "127.255.255.254",
  "0.0.0.0",
  "10.0.0.1",
  "172.16.0.1",
  "172.31.255.255",
  "192.168.255.1",
  "169.254.169.254",
  "100.64.0.1",
  "224.0.0.1",
  "255.255.255.255",
  "::",
  "::1",
  "::7f00:1",
  "::ffff:10.0.0.1",
  "::ffff:a00:1",
  "0:0:0:0:0:ffff:7f00:1",
  "64:ff9b::169.254.169.254",
  "2002:a00:1::",
  "fc00::1",
  "fd12:3456::1",
  "fe80::1%eth0",
  "febf::1",
  "ff02::1",
  "not an address",
])("%s is not on the internet", (address) => expect(isPrivateAddress(address)).toBe(true));

test.each([
  "1.1.1.1",
  "172.32.0.1",
  "100.128.0.1",
  "169.253.0.1",
  "2606:4700::1111",
  "::ffff:1.1.1.1",
  "64:ff9b::1.1.1.1",
  "2002:101:101::",
])("%s is on the internet", (address) => expect(isPrivateAddress(address)).toBe(false));
