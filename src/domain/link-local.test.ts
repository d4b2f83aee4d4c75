import { describe, expect, it } from "vitest";
import { isLinkLocal } from "./link-local.ts";

describe("an address of the nearest wire", () => {
  it.each([
    "http://169.254.169.254/v1",
    "http://169.254.0.1.",
    "http://2852039166",
    "http://0xa9fea9fe",
    "http://0251.0376.0251.0376",
    "http://169.254.43518",
    "http://[fe80::1]",
    "http://[febf:0:0:0::1]",
    "http://[fd00:ec2:0::254]",
    "http://[fd20:ce::254]",
    "http://[::ffff:169.254.169.254]",
    "http://[::169.254.169.254]",
    "http://[::ffff:0:169.254.169.254]",
    "http://[64:ff9b::a9fe:a9fe]",
    "http://[2002:a9fe:a9fe::]",
    "http://100.100.100.200",
    "http://[::ffff:100.100.100.200]",
  ])("%s is one, in its host as a URL has it", (url) => expect(isLinkLocal(new URL(url).hostname)).toBe(true));

  it.each(["fe80::1%eth0", "::ffff:169.254.169.254", "169.254.1.1"])("%s is one, as a resolver says it", (address) =>
    expect(isLinkLocal(address)).toBe(true),
  );

  it.each([
    "http://127.0.0.1:11434",
    "http://192.168.1.20:8080",
    "http://10.0.0.2",
    "http://[::1]",
    "http://[fd12::1]",
    "http://169.253.1.1",
    "http://fe80.example",
    "http://169.254.169.254.example",
    "http://models.lan",
    "http://100.100.100.201",
    "https://api.openai.com/v1",
  ])("%s is none", (url) => expect(isLinkLocal(new URL(url).hostname)).toBe(false));
});
