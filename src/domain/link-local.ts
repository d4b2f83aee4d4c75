/**
 * Whether a host is an address that is good for the nearest wire only: link-local, where clouds tell each program of a machine of theirs its
 * credentials; and the addresses of another kind at which some of them do. `host` is as the URL standard or a resolver writes it, so every
 * spelling of an address has become one of these. A name is none of them: what it resolves to is asked when it has been.
 */
export const isLinkLocal = (host: string): boolean => ADDRESSES.test(host.replace(/^\[(.*)\]$/, "$1").toLowerCase());

const ADDRESSES = new RegExp(
  [
    "^169\\.254\\.\\d+\\.\\d+$",
    "^100\\.100\\.100\\.200$", // Alibaba Cloud
    "^fe[89ab][0-9a-f]:",
    "^fd00:ec2::254$", // Amazon
    "^fd20:ce::254$", // Google
    // The same in an address of IPv6: mapped, compatible, translated, NAT64, 6to4.
    "^::(ffff:(0:)?)?(169\\.254\\.|a9fe:)",
    "^64:ff9b::(169\\.254\\.|a9fe:)",
    "^2002:a9fe:",
    "^::(ffff:(0:)?)?(100\\.100\\.100\\.200|6464:64c8)$",
    "^64:ff9b::(100\\.100\\.100\\.200|6464:64c8)$",
  ].join("|"),
);
