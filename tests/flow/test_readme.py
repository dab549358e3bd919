"""The README and the pages of docs/ are true: commands run as they stand, YAML
passes `secor check`, links lead somewhere, subcommands and options exist."""

import os
import pathlib
import re
import shutil
import subprocess

import pytest

import kafka as clients
from flow import wait_done
from secor import BINARY, NEWEST, ROOT, secor_command
from secure import make_certificates

README = ROOT / "README.md"
PAGES = [README, ROOT / "CHANGELOG.md", *sorted(ROOT.glob("docs/*.md"))]
BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.M | re.S)
HEADING = re.compile(r"^#+ (.*)$", re.M)
LINK = re.compile(r"\]\(([^)\s]+)\)")
AWS = {"AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "secret"}

# Services, and what needs servers: test_yaml_persists_a_real_topic runs them.
SERVED = {"build/secor run my.yaml", "build/secor verify my.yaml",
          "build/secor offsets show my.yaml"}


def blocks(page, kind):
    return [text for k, text in BLOCK.findall(page.read_text()) if k == kind]


def the_yaml():
    found, = blocks(README, "yaml")
    return found


def readme_commands():
    return [line for text in blocks(README, "sh")
            for line in text.splitlines() if line]


@pytest.fixture(scope="module")
def tree(tmp_path_factory):
    """A clone as a reader has it after `make`, with my.yaml."""
    top = tmp_path_factory.mktemp("clone")
    shutil.copytree(ROOT / "examples", top / "examples",
                    ignore=shutil.ignore_patterns("*.so"))
    (top / "include").symlink_to(ROOT / "include")
    (top / "build").mkdir()
    (top / "build/secor").symlink_to(BINARY)
    (top / "my.yaml").write_text(the_yaml())
    return top


def run(command, cwd, **more):
    return subprocess.run(["bash", "-eo", "pipefail", "-c", command], cwd=cwd,
                          capture_output=True, text=True, timeout=170,
                          env={**os.environ, **AWS}, **more)


def test_yaml_has_20_lines_and_is_good(tree):
    assert len(the_yaml().splitlines()) == 20
    done = secor_command("check", "my.yaml", cwd=tree)
    assert (done.returncode, done.stdout) == (0, "my.yaml: ok\n"), done.stderr


def test_commands_of_the_readme_run(tree):
    ran = {"make": 0, "run": 0}
    answers = []
    for command in readme_commands():
        if command in SERVED:
            continue
        if command.startswith("make "):
            done = run(f"make -n DEPS=no {command[5:]}", ROOT)
            ran["make"] += 1
        else:
            done = run(command, tree)
            answers.append(done.stdout)
            ran["run"] += 1
        assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
    assert ran == {"make": 2, "run": 5}
    shown, = blocks(README, "text")
    assert answers[-1] == shown


def test_yaml_persists_a_real_topic(kafka, rgw, bucket, group, secor):
    """The 20 lines, with the addresses of the rig's servers."""
    bucket(rgw, "my-bucket")
    text = the_yaml()
    for old, new in [("localhost:9092", kafka.address),
                     ("events-to-s3", group),
                     ("region: eu-west-1", f"region: {rgw.region}\n"
                      f"  endpoint: {rgw.endpoint}"),
                     ("max_age: 10m", "max_age: 1s")]:
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    env = {"AWS_ACCESS_KEY_ID": rgw.access_key,
           "AWS_SECRET_ACCESS_KEY": rgw.secret_key}
    process = secor(text, env=env, name="my")
    clients.create_topic(kafka.address, "events", 2)

    def secor_says(*args):
        done = secor_command(*args, cwd=process.dir, env=env)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    assert secor_says("produce", "my.yaml", "events").startswith("1000 ")
    process.start()
    wait_done(kafka.address, group, "events", 2)
    assert process.stop() == 0
    answer = secor_says("verify", "my.yaml")
    assert " 1000 messages: 1000 records" in answer
    assert "every offset is accounted for" in answer
    assert secor_says("offsets", "show", "my.yaml").count("lag 0") == 2


# ---- all pages ----

def anchors(page):
    """What GitHub makes of the headings."""
    heads = HEADING.findall(BLOCK.sub("", page.read_text()))
    return {re.sub(r"[^\w\- ]", "", h.lower()).replace(" ", "-")
            for h in heads}


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.name)
def test_links_lead_somewhere(page):
    for link in LINK.findall(BLOCK.sub("", page.read_text())):
        if re.match(r"[a-z]+:", link):
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        assert target.exists(), f"{page.name}: {link}"
        if anchor:
            assert anchor in anchors(target), f"{page.name}: {link}"


def code_of(page):
    """Fenced blocks, indented ones, and spans."""
    text = page.read_text()
    outside = BLOCK.sub("", text)
    return [t for _, t in BLOCK.findall(text)] + \
        re.findall(r"`([^`]+)`", outside) + \
        re.findall(r"^ {4,}(.*)$", outside, re.M)


def commands_of_the_program():
    done = secor_command("--help")
    return set(re.findall(r"^  (\w+) ", done.stdout, re.M))


def said_to_secor(page):
    """Words behind `secor` in what a reader would type."""
    for code in code_of(page):
        for line in code.splitlines():
            yield from re.findall(
                r"(?:^|[\s/|('])secor ((?:[\w./=-]+ ?)+)", line)


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.name)
def test_subcommands_and_options_exist(page):
    known = commands_of_the_program()
    help_of = {}
    for words in map(str.split, said_to_secor(page)):
        name = words[0]
        if name.isupper() or name.startswith("-"):
            continue
        assert name in known, f"{page.name}: secor {' '.join(words)}"
        if name not in help_of:
            help_of[name] = secor_command(name, "--help").stdout
        for option in (w.split("=")[0] for w in words if w[:2] == "--"):
            assert option in help_of[name] or option == "--help", \
                f"{page.name}: secor {' '.join(words)}"


def test_readme_lists_every_command():
    said = {w.split()[0] for w in said_to_secor(README)}
    assert commands_of_the_program() <= said


def test_tests_that_pages_name_exist():
    """`tests/x.py::name` and file names in code spans."""
    named = 0
    for page in PAGES:
        for code in code_of(page):
            for path, name in re.findall(
                    r"\b(tests/[\w./-]+\.\w+)(?:::(\w+))?", code):
                assert (ROOT / path).exists(), f"{page.name}: {path}"
                if name:
                    assert re.search(rf"\b{name}\b",
                                     (ROOT / path).read_text()), \
                        f"{page.name}: {path}::{name}"
                named += 1
    assert named >= 1


# ---- YAML in docs/ ----

def sections(text):
    """{name: the lines of this top-level section}."""
    found = {}
    for line in text.splitlines(keepends=True):
        word = re.match(r"(\w+):", line)
        if word:
            name = word[1]
            found[name] = ""
        found[name] += line
    return found


def with_files(text, folder):
    """Files under /etc/secor that the text names, made in `folder`."""
    make_certificates(folder / "tls")
    for path in set(re.findall(r"/etc/secor/[\w.-]+", text)):
        name = pathlib.Path(path).name
        source = folder / "tls" / name
        made = folder / name
        made.write_text(source.read_text() if source.exists() else "secret\n")
        made.chmod(0o600)
        text = text.replace(path, str(made))
    return text


def yaml_of_pages():
    return [pytest.param(p, i, id=f"{p.stem}-{i}") for p in PAGES
            if p != README for i in range(len(blocks(p, "yaml")))]


@pytest.mark.parametrize("page,number", yaml_of_pages())
def test_yaml_of_pages_is_good(page, number, tmp_path):
    """Each block takes the place of its sections in configs/minimal.yaml."""
    text = blocks(page, "yaml")[number]
    base = sections((ROOT / "configs/minimal.yaml").read_text().split(
        "\n", 3)[3])
    base.update(sections(with_files(text, tmp_path)))
    file = tmp_path / "page.yaml"
    file.write_text("".join(base.values()))
    names = re.findall(r"\$\{(\w+)\}", text)
    done = secor_command("check", file, cwd=tmp_path,
                         env={n: "value" for n in names})
    if BINARY == NEWEST.resolve() and "GSSAPI" in text:
        # its librdkafka was built without, and that is said here
        assert done.returncode == 2
        assert "No provider for SASL mechanism GSSAPI" in done.stderr
        return
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""


def test_unit_of_systemd_runs_what_there_is():
    unit = (ROOT / "deploy/secor.service").read_text()
    commands = re.findall(r"^Exec\w+=(.*)$", unit, re.M)
    assert len(commands) == 1
    for words in map(str.split, commands):
        assert words[0] == "/usr/local/bin/secor"
        assert words[1] in commands_of_the_program()


def test_tests_that_the_pages_name_exist():
    """`tests/…/test_x.py::test_y`, and files of unit tests."""
    named = {m for page in PAGES for m in re.findall(
        r"`(tests/[\w/.]+)(?:::(\w+))?`", page.read_text())}
    assert len(named) > 30
    for file, test in sorted(named):
        assert (ROOT / file).exists(), file
        assert not test or f"def {test}(" in (ROOT / file).read_text(), test
