"""The pages of examples/ are true: their commands run as they stand, and print
what the page says. The plugins also compile with an installed plugins.mk."""

import pathlib
import re
import shutil
import subprocess
import time

import pytest

from flow import wait_done
from kafka import produce
from secor import base_config, secor_command

TOP = pathlib.Path(__file__).resolve().parents[2]
BLOCK = re.compile(r"^```(sh|text)\n(.*?)^```$", re.M | re.S)
PAGES = sorted(p.parent.name for p in TOP.glob("examples/*/README.md"))


@pytest.fixture
def tree(tmp_path):
    """What a page needs of the repository; the repository stays clean."""
    shutil.copytree(TOP / "examples", tmp_path / "examples",
                    ignore=shutil.ignore_patterns("*.so"))
    for name in ("include", "build", "plugins.mk"):
        (tmp_path / name).symlink_to(TOP / name)
    return tmp_path


def commands(page):
    """(command, the output that the page shows or None), in order."""
    blocks = BLOCK.findall(page.read_text())
    for i, (kind, text) in enumerate(blocks):
        if kind == "sh":
            shown = blocks[i + 1][1] if blocks[i + 1:] and \
                blocks[i + 1][0] == "text" else None
            yield text, shown


@pytest.mark.parametrize("name", PAGES)
def test_page_is_true(tree, name):
    folder = tree / "examples" / name
    ran = 0
    for command, shown in commands(folder / "README.md"):
        done = subprocess.run(["bash", "-eo", "pipefail", "-c", command],
                              cwd=folder, capture_output=True, text=True,
                              timeout=170)
        assert done.returncode == 0, command + done.stderr
        assert done.stderr == "", command
        if shown is not None:
            assert done.stdout == shown, command
        ran += 1
    assert ran >= 3
    assert list(folder.glob("*.so")), "the page compiles nothing"


def test_parser_in_cxx_that_was_linked_with_cc_says_so(tree):
    folder = tree / "examples" / "parser-logfmt"
    subprocess.run(
        ["cc", "-std=c++17", "-shared", "-fPIC", "-I../../include",
         "-o", "logfmt.so", "logfmt.cc"],
        cwd=folder, check=True, timeout=170)
    done = secor_command("check", folder / "logfmt.yaml")
    assert done.returncode == 2
    assert "undefined symbol: _Z" in done.stderr or \
        "undefined symbol: __" in done.stderr, done.stderr
    assert "link it with c++ instead of cc" in done.stderr


def test_parser_without_its_library_says_so(tree):
    folder = tree / "examples" / "parser-csv"
    source = folder / "csv.c"
    source.write_text(source.read_text() + """
extern int in_no_library(void);
int keep(void);
int keep(void) { return in_no_library(); }
""")
    subprocess.run(
        ["cc", "-std=c11", "-shared", "-fPIC", "-I../../include",
         "-o", "csv.so", "csv.c"], cwd=folder, check=True, timeout=170)
    done = secor_command("check", folder / "csv.yaml")
    assert done.returncode == 2
    assert "undefined symbol: in_no_library: link the library" in done.stderr


def test_examples_are_four():
    assert len(PAGES) >= 4


def test_installed_plugins_mk_compiles(tmp_path):
    root = tmp_path / "root"
    subprocess.run(["make", "-s", "DEPS=no", "install", f"DESTDIR={root}"],
                   cwd=TOP, check=True, timeout=300)
    for page in PAGES:
        folder = tmp_path / page
        shutil.copytree(TOP / "examples" / page, folder)
        make = folder / "Makefile"
        make.write_text(make.read_text().replace(
            "../../plugins.mk", f"{root}/usr/local/share/secor/plugins.mk"))
        subprocess.run(["make", "-s", "-B"], cwd=folder, check=True,
                       timeout=170)
        assert len(list(folder.glob("*.so"))) == 1
        made = next(folder.glob("*.so"))
        seen = subprocess.run([f"{root}/usr/local/bin/secor", "plugins",
                               f"./{made.name}"], cwd=folder, check=True,
                              capture_output=True, text=True, timeout=170)
        assert made.stem in seen.stdout.splitlines()[0]


def compiled(tree, name):
    """The shared object of an example, compiled as its page says."""
    folder = tree / "examples" / name
    subprocess.run(["make", "-s", "-B"], cwd=folder, check=True, timeout=170)
    return str(next(folder.glob("*.so")))


def test_examples_work_together(tree, kafka, topic, group, secor):
    t = topic(1)
    countries = ["de", "fr", "it"]
    lines = [f"{1405908000 + i},{countries[i % 3]},/{i}" for i in range(300)]
    produce(kafka.address, t, [(0, f"key-{i % 7}", line)
                               for i, line in enumerate(lines)])
    process = secor(base_config(
        kafka.address, group, t,
        parser={"use": compiled(tree, "parser-csv"),
                "columns": ["time", "country", "page"]},
        partitioner=[{"use": "field", "fields": ["country"]},
                     {"use": compiled(tree, "partitioner-bucket"),
                      "buckets": 5}],
        format={"use": "text"},
        notifiers={"use": compiled(tree, "notifier-list"),
                   "file": "finished.txt"}))
    process.start()
    wait_done(kafka.address, group, t, 1)
    out = process.dir / "out" / t
    objects = sorted(p for p in out.rglob("*") if p.is_file())
    stored = [line for o in objects for line in o.read_text().splitlines()]
    assert sorted(stored) == sorted(lines)
    assert {o.parts[-3] for o in objects} == {f"country={c}" for c in countries}
    assert all(o.parts[-2].startswith("bucket=00") for o in objects)
    finished, stop = process.dir / "finished.txt", time.monotonic() + 90
    while time.monotonic() < stop and not (
            finished.exists() and
            set(finished.read_text().split()) == {str(o) for o in objects}):
        time.sleep(0.1)
    assert set(finished.read_text().split()) == {str(o) for o in objects}
