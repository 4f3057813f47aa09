"""Runs a command under a seccomp filter:

    seccomp.py deny NAME=ERRNO … -- COMMAND      these system calls fail so
    seccomp.py allow NAME … -- COMMAND           any other call kills the process

Calls that this machine's headers do not know are passed over. Exit status 77: there is
no seccomp here."""

import ctypes
import errno
import os
import re
import struct
import subprocess
import sys

PR_SET_NO_NEW_PRIVS, PR_SET_SECCOMP, MODE_FILTER = 38, 22, 2
ALLOW, ERRNO, KILL = 0x7fff0000, 0x00050000, 0x80000000
LOAD, EQUAL, RETURN = 0x20, 0x15, 0x06    # BPF_LD|W|ABS, BPF_JMP|JEQ|K, BPF_RET|K


def numbers():
    """Name → number of the system calls, as the C compiler of the build sees them."""
    text = subprocess.run(["cc", "-E", "-dM", "-include", "sys/syscall.h", "-x", "c",
                           "/dev/null"], check=True, stdout=subprocess.PIPE, text=True,
                          env={**os.environ, "LC_ALL": "C"}).stdout
    return {name: int(number) for name, number
            in re.findall(r"^#define __NR_(\w+) (\d+)$", text, re.M)}


def program(verdicts, otherwise):
    """The filter: pairs of a call's number and what becomes of it."""
    code = [(LOAD, 0, 0, 0)]    # seccomp_data.nr
    for number, verdict in verdicts:
        code += [(EQUAL, 0, 1, number), (RETURN, 0, 0, verdict)]
    code.append((RETURN, 0, 0, otherwise))
    return b"".join(struct.pack("HBBI", *line) for line in code)


def install(code):
    """Filters this process and all it becomes; false where that cannot be."""
    libc = ctypes.CDLL(None, use_errno=True)
    memory = ctypes.create_string_buffer(code, len(code))
    filters = struct.pack("HxxxxxxQ", len(code) // 8, ctypes.addressof(memory))
    return (libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 and
            libc.prctl(PR_SET_SECCOMP, MODE_FILTER, filters, 0, 0) == 0)


def available():
    """Whether a process here may filter itself."""
    child = os.fork()
    if child == 0:
        os._exit(0 if install(program([], ALLOW)) else 1)
    return os.waitpid(child, 0)[1] == 0


def main(kind, *arguments):
    at = arguments.index("--")
    words, command, known = arguments[:at], arguments[at + 1:], numbers()
    if kind == "deny":
        pairs = [word.split("=") for word in words]
        code = program([(known[name], ERRNO | getattr(errno, code))
                        for name, code in pairs if name in known], ALLOW)
    else:
        code = program([(known[name], ALLOW) for name in words if name in known], KILL)
    if not install(code):
        sys.exit(77)
    os.execvp(command[0], command)


if __name__ == "__main__":
    main(*sys.argv[1:])
