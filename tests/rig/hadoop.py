"""Hadoop's, Hive's and Java's own code as readers, writers and judges.

Each call is one JVM (about a second), so give it many files or values at once.
The classes of java/ are compiled once into the cache.
"""

import fcntl
import hashlib
import json
import os
import pathlib
import shutil
import subprocess

from servers import CACHE, HERE, JVM, RigError

LIBS = CACHE / "hadoop" / "libs"


def classes(folder=HERE / "java", *libs):
    """The folder's sources, compiled once into the cache."""
    sources = sorted(folder.glob("*.java"))
    digest = hashlib.sha256(b"".join(s.read_bytes() for s in sources))
    place = CACHE / f"java-{digest.hexdigest()[:16]}"
    if place.exists():
        return place
    with open(CACHE / ".java.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if place.exists():
            return place
        fresh = pathlib.Path(f"{place}.{os.getpid()}")
        done = subprocess.run(
            ["javac", "-nowarn", "-cp",
             ":".join(f"{lib}/*" for lib in libs or (LIBS,)), "-d", fresh,
             *sources],
            capture_output=True, text=True)
        if done.returncode != 0:
            shutil.rmtree(fresh, ignore_errors=True)
            raise RigError(f"javac failed:\n{done.stderr}")
        fresh.rename(place)
    return place


def _java(main, *args, data=None):
    return subprocess.run(
        [*JVM, "-Xmx512m", "-cp", f"{classes()}:{LIBS}/*", main,
         *map(str, args)], input=data, capture_output=True, text=True,
        timeout=170)


def seq_dump(files):
    """What Hadoop reads of each file: a list of dicts with file, key, value,
    type, codec, meta, and records, a list of (key, value) bytes. A file that
    Hadoop refuses is a RigError with its reason."""
    done = _java("SeqDump", *files)
    dumps = []
    for line in done.stdout.splitlines():
        row = json.loads(line)
        if "error" in row:
            raise RigError(f"SequenceFile: {row['error']} "
                           f"after {row['records']} records")
        if "file" in row:
            dumps.append({**row, "records": []})
        elif "k" in row:
            dumps[-1]["records"].append(
                (bytes.fromhex(row["k"]), bytes.fromhex(row["v"])))
        elif row["end"] != len(dumps[-1]["records"]):
            raise RigError(f"SeqDump lost records of {dumps[-1]['file']}")
    if done.returncode != 0 or len(dumps) != len(files):
        raise RigError(f"SeqDump failed:\n{done.stderr}")
    return dumps


def seq_write(out_dir, count=250):
    """Hadoop's samples in out_dir, see SeqWrite.java; the paths written."""
    done = _java("SeqWrite", out_dir, count)
    if done.returncode != 0:
        raise RigError(f"SeqWrite failed:\n{done.stderr}")
    return [pathlib.Path(out_dir) / n for n in done.stdout.split()]


def unpack(packed):
    """What Hadoop's codecs make of files: (codec, file) each, as bytes."""
    args = []
    for codec, file in packed:
        args += [codec, file, f"{file}.plain"]
    done = _java("Unpack", *args)
    if done.returncode != 0:
        raise RigError(f"Unpack failed:\n{done.stderr}")
    return [pathlib.Path(out).read_bytes() for out in args[2::3]]


def hive_escape(values):
    """Hive's FileUtils.escapePathName of each str."""
    data = "".join(v.encode().hex() + "\n" for v in values)
    done = _java("HiveEscape", data=data)
    if done.returncode != 0:
        raise RigError(f"HiveEscape failed:\n{done.stderr}")
    out = [bytes.fromhex(x).decode() for x in done.stdout.splitlines()]
    if len(out) != len(values):
        raise RigError(f"HiveEscape answered {len(out)} of {len(values)}")
    return out


def java_dates(seed, count):
    """What SimpleDateFormat reads, see JavaDates.java: tuples of pattern, zone,
    text, and the milliseconds or None."""
    done = _java("JavaDates", seed, count, "tsv")
    if done.returncode != 0:
        raise RigError(f"JavaDates failed:\n{done.stderr}")
    rows = [line.split("\t") for line in done.stdout.splitlines()]
    return [(p, z, t, None if ms == "BAD" else int(ms))
            for p, z, t, ms in rows]
