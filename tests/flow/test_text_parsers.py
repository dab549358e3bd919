"""Text parsers and time formats through `secor try`, judged by what others make
of the same messages: Python's csv, logfmtkv (which reads as go-logfmt does),
java.text.SimpleDateFormat."""

import csv
import datetime
import io
import json
import random
import re
import subprocess

import hadoop
import logfmtkv
import pytest
import secor


def asked(tmp_path, parser, fields, messages, extra=""):
    """What `secor try` says of each message."""
    levels = [{"use": "date", "granularity": "day"}]
    if fields:
        levels.insert(0, {"use": "field", "fields": fields,
                          "missing": "default"})
    parser = {"accept_time": {"future": "unlimited"}, **parser}
    config = tmp_path / "try.yaml"
    config.write_text(
        "kafka: {brokers: ['127.0.0.1:9'], group: g, topics: [t]}\n"
        f"parser: {json.dumps(parser)}\n"
        f"partitioner: {json.dumps(levels)}\n"
        "format: {use: text}\n"
        f"store: {{use: local, dir: {json.dumps(str(tmp_path / 'out'))}}}\n"
        f"stage: {{dir: {json.dumps(str(tmp_path / 'stage'))}}}\n" + extra)
    done = subprocess.run(
        [secor.BUILD / "secor", "try", config, "--encoding", "hex", "--json"],
        input="".join(m.hex() + "\n" for m in messages), text=True,
        capture_output=True, timeout=120)
    assert done.returncode in (0, 1), done.stderr
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(answers) == len(messages), done.stderr
    return answers


def damaged(rng, text, alphabet):
    """With a character or two put in, taken out or changed."""
    for _ in range(rng.randrange(1, 3)):
        at = rng.randrange(len(text) + 1)
        put = rng.choice(["", rng.choice(alphabet)])
        text = text[:at] + put + text[at + rng.randrange(2):]
    return text


# ---- delimited ----

def some_cell(rng):
    return "".join(rng.choice('ab ",\'\\;|\té😀') for _ in
                   range(rng.choice([0, 1, 3, 8])))


def row_as_csv_reads(text, **rules):
    """The one row of a text, or None when it is no row."""
    if text.endswith("\n"):
        text = text[:-1]
    if text.endswith("\r"):
        text = text[:-1]
    try:
        rows = list(csv.reader(io.StringIO(text, newline=""), strict=True,
                               **rules))
    except csv.Error:
        return None
    # the end of a line outside quotes is no part of a message
    return rows[0] if len(rows) == 1 and not text.endswith(("\n", "\r")) \
        else None


@pytest.mark.parametrize("rules, options", [
    ({}, {}),
    ({"delimiter": "\t"}, {"delimiter": "tab"}),
    ({"delimiter": ";", "quotechar": "'"}, {"delimiter": ";", "quote": "'"}),
    ({"escapechar": "\\"}, {"escape": "\\"}),
    ({"quoting": csv.QUOTE_NONE, "delimiter": "|", "escapechar": "\\"},
     {"quote": "none", "delimiter": "|", "escape": "\\"}),
])
def test_rows_are_what_csv_reads(tmp_path, rules, options):
    rng = random.Random(repr(options))
    texts, taken = [], 0
    for i in range(3000):
        out = io.StringIO(newline="")
        csv.writer(out, lineterminator=rng.choice(["", "\n", "\r\n"]),
                   **rules).writerow([some_cell(rng), some_cell(rng),
                                      str(rng.randrange(10**9)),
                                      some_cell(rng)])
        text = out.getvalue()
        texts.append(damaged(rng, text, 'a,"\'\\;|\t\n\r1') if i % 2 else text)
    answers = asked(tmp_path, {"use": "delimited", "time_field": "3",
                               "time_format": "seconds", **options},
                    ["1", "2", "4"], [t.encode() for t in texts])
    for text, answer in zip(texts, answers):
        row = row_as_csv_reads(text, **rules)
        if answer.get("reject", "").startswith("no time"):
            assert row is not None and (
                len(row) < 3 or not re.fullmatch(r" *[0-9]{1,11} *", row[2])
            ), (text, row, answer)
            continue
        if "reject" in answer:
            assert not row, (text, row, answer)
            continue
        taken += 1
        assert row is not None, (text, answer)
        for i in 1, 2, 4:
            assert answer["fields"].get(str(i)) == \
                (row[i - 1] if i <= len(row) else None), (text, row, answer)
    assert taken > 1500


# ---- logfmt ----

KEYS = ["a", "b", "http.status"]


def test_lines_are_what_go_logfmt_reads(tmp_path):
    rng = random.Random(7)
    texts, both = [], 0
    for i in range(4000):
        pairs = {k: "".join(rng.choice('ab ="\\/\n\té😀{1') for _ in
                            range(rng.choice([0, 1, 3, 8])))
                 for k in rng.sample(KEYS + ["c", "level"], 3)}
        text = logfmtkv.serialize(pairs)
        texts.append(damaged(rng, text, 'ab="\\ u1') if i % 2 else text)
    answers = asked(tmp_path, {"use": "logfmt", "time_source": "kafka"},
                    KEYS, [t.encode() for t in texts])
    for i, (text, answer) in enumerate(zip(texts, answers)):
        try:
            theirs = logfmtkv.parse(text, strict=True)
        except logfmtkv.LogfmtSyntaxError:
            theirs = None
        if theirs is None or "reject" in answer:
            # intact lines are taken by both; of others we want a blank behind
            # a quote, and take a = in a bare value
            assert i % 2 or text.strip() == "", (text, answer)
            assert theirs is None or "\\'" in text or "\n" in text or \
                text.strip() == "" or '"' in text, (text, theirs, answer)
            continue
        both += 1
        for key in KEYS:
            value = theirs.get(key)
            assert answer["fields"].get(key) == \
                (None if value is True else value), (text, theirs, answer)
    assert both > 2500


# ---- times ----

def test_iso8601_is_what_datetime_reads(tmp_path):
    rng = random.Random(3)
    texts = []
    for _ in range(3000):
        when = datetime.datetime(1, 1, 2) + datetime.timedelta(
            milliseconds=rng.randrange(315537724800000))
        zone = rng.choice([None, datetime.timezone.utc, datetime.timezone(
            datetime.timedelta(minutes=rng.randrange(-1079, 1080)))])
        texts.append(when.replace(tzinfo=zone).isoformat(
            sep=rng.choice("T "),
            timespec=rng.choice(["minutes", "seconds", "milliseconds",
                                 "microseconds"])))
    answers = asked(tmp_path, {"use": "json", "time_field": "t",
                               "time_format": "iso8601"}, [],
                    [json.dumps({"t": t}).encode() for t in texts])
    epoch = datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)
    for text, answer in zip(texts, answers):
        when = datetime.datetime.fromisoformat(text)
        if when.tzinfo is None:
            when = when.replace(tzinfo=datetime.timezone.utc)
        ms = (when - epoch) // datetime.timedelta(milliseconds=1)
        if "reject" in answer:
            assert "out of years" in answer["reject"] and (
                ms < -62135596800000 or ms > 253402300799999), (text, answer)
        else:
            assert answer["time_ms"] == ms, (text, answer)


@pytest.mark.deep
def test_patterns_are_what_java_reads(tmp_path):
    """All patterns of JavaDates, other rows than the unit tests have."""
    rows = hadoop.java_dates(7, 1000)
    assert len(rows) > 30000
    groups = {}
    for pattern, zone, text, ms in rows:
        groups.setdefault((pattern, zone), []).append((text, ms))
    for (pattern, zone), group in groups.items():
        answers = asked(
            tmp_path, {"use": "json", "time_field": "t", "timezone": zone,
                       "time_format": pattern, "time_invalid": "reject"}, [],
            [json.dumps({"t": text}).encode() for text, _ in group],
            "compat: secor\n")
        for (text, ms), answer in zip(group, answers):
            # the parser takes blanks at the ends away
            if text != text.strip(" "):
                continue
            assert answer.get("time_ms") == ms, (pattern, zone, text, answer)
