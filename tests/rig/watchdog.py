"""Ends what its parent started when the parent is gone; see servers.py.

Reads "+group PGID", "-group PGID", "+dir PATH", "-dir PATH" from stdin; at its
end kills the groups that are left and removes the folders that are left.
"""

import os
import shutil
import signal
import sys
import time


def main():
    for s in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(s, signal.SIG_IGN)
    left = {"group": set(), "dir": set()}
    for line in sys.stdin:
        word, _, value = line.rstrip("\n").partition(" ")
        kind = left[word[1:]]
        (kind.add if word[0] == "+" else kind.discard)(value)
    for pgid in left["group"]:
        try:
            os.killpg(int(pgid), signal.SIGKILL)
        except ProcessLookupError:
            pass
    if left["group"]:
        time.sleep(0.2)
    for path in left["dir"]:
        shutil.rmtree(path, ignore_errors=True)


main()
