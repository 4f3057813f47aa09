"""Runs a command with few rights, as a service manager or a container would:

    sandbox.py [--read-only] [--proc-subset] [--user UID] [--no-write-execute]
               [--syscalls NAME,NAME …] -- COMMAND

    --read-only         every file system is mounted read-only
    --proc-subset       /proc shows processes alone, of one's own user alone
    --user              this user and group, no other groups; no capability ever again
    --no-write-execute  no memory is ever both writable and executable
    --syscalls          any other system call kills
    --refuse            any other system call fails, as systemd has it

Needs root, or namespaces of a user's own (--user is root in them then, without its
capabilities). Exit status 77 and a reason on stderr: not here."""

import argparse
import ctypes
import errno
import os
import struct
import sys

import seccomp

CLONE_NEWNS, CLONE_NEWUSER = 0x00020000, 0x10000000
MS_REC, MS_PRIVATE = 16384, 1 << 18
AT_FDCWD, AT_RECURSIVE, MOUNT_ATTR_RDONLY = -100, 0x8000, 1
SYS_MOUNT_SETATTR = 442    # the same on every architecture
PR_CAPBSET_DROP, PR_SET_NO_NEW_PRIVS, PR_SET_MDWE, PR_MDWE_REFUSE = 24, 38, 65, 1
LAST_CAPABILITY = 63
libc = ctypes.CDLL(None, use_errno=True)


def must(result, what):
    if result != 0:
        sys.exit(not_here(f"{what}: {os.strerror(ctypes.get_errno())}"))


def not_here(reason):
    print(f"sandbox.py: {reason}", file=sys.stderr)
    return 77


def own_namespaces():
    if os.geteuid() == 0:
        must(libc.unshare(CLONE_NEWNS), "unshare")
        return
    user, group = os.getuid(), os.getgid()
    must(libc.unshare(CLONE_NEWNS | CLONE_NEWUSER), "unshare")
    for name, text in (("setgroups", "deny"), ("uid_map", f"0 {user} 1"),
                       ("gid_map", f"0 {group} 1")):
        with open(f"/proc/self/{name}", "w", encoding="ascii") as f:
            f.write(text)


def mount(kind, path, flags, data=None):
    must(libc.mount(kind, path, kind, flags, data), f"mount {path.decode()}")


def read_only():
    attributes = struct.pack("QQQQ", MOUNT_ATTR_RDONLY, 0, 0, 0)
    must(libc.syscall(SYS_MOUNT_SETATTR, AT_FDCWD, b"/", AT_RECURSIVE, attributes,
                      ctypes.c_size_t(len(attributes))), "mount_setattr")


def become(user, was_root):
    if was_root:
        os.setgroups([])
        os.setresgid(user, user, user)
    for capability in range(LAST_CAPABILITY + 1):
        libc.prctl(PR_CAPBSET_DROP, capability, 0, 0, 0)    # beyond the last: EINVAL
    if was_root:
        os.setresuid(user, user, user)


def main():
    at = sys.argv.index("--")
    parser = argparse.ArgumentParser()
    for flag in ("--read-only", "--proc-subset", "--no-write-execute"):
        parser.add_argument(flag, action="store_true")
    parser.add_argument("--user", type=int)
    parser.add_argument("--syscalls")
    parser.add_argument("--refuse", action="store_true")
    args = parser.parse_args(sys.argv[1:at])
    command, was_root = sys.argv[at + 1:], os.geteuid() == 0
    code = None
    if args.syscalls:
        known = seccomp.numbers()
        code = seccomp.program([(known[name], seccomp.ALLOW)
                                for name in args.syscalls.split(",") if name in known],
                               seccomp.ERRNO | errno.EPERM if args.refuse
                               else seccomp.KILL)
    if args.read_only or args.proc_subset:
        own_namespaces()
        mount(b"none", b"/", MS_REC | MS_PRIVATE)
    if args.proc_subset:
        mount(b"proc", b"/proc", 0, b"hidepid=invisible,subset=pid")
    if args.read_only:
        read_only()
    if args.user is not None:
        become(args.user, was_root)
    must(libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "prctl")
    if args.no_write_execute:    # kernels before 6.3 do not know it
        libc.prctl(PR_SET_MDWE, PR_MDWE_REFUSE, 0, 0, 0)
    if code and not seccomp.install(code):
        sys.exit(not_here("no seccomp"))
    os.execvp(command[0], command)


if __name__ == "__main__":
    main()
