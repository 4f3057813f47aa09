"""Programs that check something and end: promtool, vmalert, amtool."""

import subprocess


def tool(*command, timeout=380):
    """CompletedProcess with all that it said in stdout."""
    return subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, timeout=timeout, check=False)
