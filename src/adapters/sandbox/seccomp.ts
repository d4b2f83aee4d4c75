/**
 * The syscall filter as classic BPF, the form `bwrap --seccomp` takes, or null on an architecture it is not written
 * for. It closes what namespaces leave open: socket families that ignore the network namespace (vsock reaches the
 * hypervisor), the kernel's keyrings (the daemon's session keyring is inherited) and io_uring, which opens sockets
 * without the socket call.
 */
export const syscallFilter = (architecture: string): Buffer | null => {
  const calls = CALLS[architecture];
  return calls === undefined ? null : assemble(calls);
};

interface Calls {
  readonly audit: number;
  readonly socket: number;
  readonly refused: readonly number[];
  /** Calls from here on belong to a second interface of the same architecture (x32). */
  readonly foreignFrom: number;
}

const CALLS: Readonly<Record<string, Calls>> = {
  // refused: add_key, request_key, keyctl, io_uring_setup
  x64: { audit: 0xc000003e, socket: 41, refused: [248, 249, 250, 425], foreignFrom: 0x40000000 },
  arm64: { audit: 0xc00000b7, socket: 198, refused: [217, 218, 219, 425], foreignFrom: 0xffffffff },
};

/** unix, inet, inet6, netlink: all of them obey the network namespace. */
const FAMILIES = [1, 2, 10, 16];

const ENOSYS = 38;
const EAFNOSUPPORT = 97;
const LOAD = 0x20;
const JUMP_EQUAL = 0x15;
const JUMP_AT_LEAST = 0x35;
const RETURN = 0x06;
const ALLOW = 0x7fff0000;
const refuse = (errno: number): number => 0x00050000 | errno;

/** Offsets in struct seccomp_data. */
const CALL = 0;
const AUDIT = 4;
const FIRST_ARGUMENT = 16;

const assemble = (calls: Calls): Buffer => {
  const program: Buffer[] = [
    instruction(LOAD, AUDIT),
    instruction(JUMP_EQUAL, calls.audit, 1),
    instruction(RETURN, refuse(ENOSYS)),
    instruction(LOAD, CALL),
    instruction(JUMP_AT_LEAST, calls.foreignFrom, 0, 1),
    instruction(RETURN, refuse(ENOSYS)),
  ];
  for (const call of calls.refused) {
    program.push(instruction(JUMP_EQUAL, call, 0, 1), instruction(RETURN, refuse(ENOSYS)));
  }
  program.push(instruction(JUMP_EQUAL, calls.socket, 1), instruction(RETURN, ALLOW), instruction(LOAD, FIRST_ARGUMENT));
  for (const family of FAMILIES) program.push(instruction(JUMP_EQUAL, family, 0, 1), instruction(RETURN, ALLOW));
  program.push(instruction(RETURN, refuse(EAFNOSUPPORT)));
  return Buffer.concat(program);
};

/** struct sock_filter: how many instructions to skip when the test holds and when it does not. */
const instruction = (code: number, k: number, whenTrue = 0, whenFalse = 0): Buffer => {
  const bytes = Buffer.alloc(8);
  bytes.writeUInt16LE(code, 0);
  bytes.writeUInt8(whenTrue, 2);
  bytes.writeUInt8(whenFalse, 3);
  bytes.writeUInt32LE(k >>> 0, 4);
  return bytes;
};
