"""Hands descriptors to a command as a service manager does (sd_listen_fds(3)):

    activate.py [--names A:B] [--pid PID] [--count N] FD … -- COMMAND
"""

import argparse
import os
import sys


def main():
    at = sys.argv.index("--")
    parser = argparse.ArgumentParser()
    parser.add_argument("--names")
    parser.add_argument("--pid")
    parser.add_argument("--count")
    parser.add_argument("fds", nargs="*", type=int)
    args = parser.parse_args(sys.argv[1:at])
    # First out of the way: one of them may stand where another belongs.
    copies = [os.dup2(fd, 100 + i) for i, fd in enumerate(args.fds)]
    for i, fd in enumerate(copies):
        os.dup2(fd, 3 + i, inheritable=True)
    os.closerange(3 + len(copies), 256)
    os.environ["LISTEN_PID"] = args.pid or str(os.getpid())
    os.environ["LISTEN_FDS"] = args.count or str(len(args.fds))
    if args.names is not None:
        os.environ["LISTEN_FDNAMES"] = args.names
    os.execvp(sys.argv[at + 1], sys.argv[at + 1:])


if __name__ == "__main__":
    main()
