"""The notifier qubole and commands that do not end in time: cancelled, and what
comes of that is told."""

import json
import threading

import pytest
from servers import wait_until
from test_notifiers import HOUR, driver  # noqa: F401
from test_qubole import batch, options, qubole  # noqa: F401

NEVER = 10**6  # looks at a command that does not end by itself


def give_up(driver, qubole, **more):
    """What the notifier says of a command that does not end in time. Where the
    time was over before the command had a number, all again."""
    qubole.polls = NEVER
    for _ in range(30):
        answer, = driver("qubole", options(
            qubole, **{"timeout": "300ms", "cancel_timeout": "55s", **more}),
            [batch(HOUR)])
        if "has not ended" in answer or not answer.startswith("RETRY "):
            return answer
        with qubole.lock:
            qubole.commands.clear()
    return pytest.fail(answer)


def deep(*values):
    return pytest.param(*values, marks=pytest.mark.deep)


def kills(qubole):
    return [r for r in qubole.requests if r[0] == "PUT"]


def test_command_that_never_ends_is_cancelled(driver, qubole):
    qubole.dying = 3
    answer = give_up(driver, qubole)
    assert answer.startswith("RETRY ") and "has not ended" in answer
    assert "; cancelled (kill succeeded.; command 1 was cancelled)" \
        in answer
    assert qubole.killed == [1] and len(qubole.commands) == 1
    (_, path, headers, body), = kills(qubole)
    assert path == "/api/v1.2/commands/1"
    assert headers["X-AUTH-TOKEN"] == "t0ken"
    assert json.loads(body) == {"status": "kill"}


def test_command_is_left_to_run_when_so_configured(driver, qubole):
    answer = give_up(driver, qubole, cancel_timeout="0s")
    assert answer.startswith("RETRY ") and "cancelled" not in answer
    assert kills(qubole) == []


def after_kills(qubole, count, change):
    """A thread that changes the only command when so many cancels came."""
    def wait():
        wait_until(f"{count} cancels", lambda: len(kills(qubole)) >= count, 90)
        with qubole.lock:
            change(qubole.commands[0])
    thread = threading.Thread(target=wait)
    thread.start()
    return thread


@pytest.mark.parametrize("fault,want", [
    (404, "HTTP 404: command 1 is not known"),
    (b'{"result": "perhaps"}', "perhaps"),
    deep(403, "the token is refused"),
    deep(422, "HTTP 422"),
    deep(500, "HTTP 500"),
    deep(b"<html>", "no JSON object"),
    deep(b'{"kill_succeeded": false, "result": "who are you?"}',
         "who are you?"),
    deep(b'{"kill_succeeded": false}', "does not say that it is taken")])
def test_refusal_of_a_cancel_is_told(driver, qubole, fault, want):
    def end(command):
        command[:] = ["cancelled", 0]
    qubole.fail_kill(*[fault] * 10_000)
    thread = after_kills(qubole, 2, end)
    answer = give_up(driver, qubole)
    thread.join()
    assert answer.startswith("RETRY ")
    assert "; it has ended now (" in answer and want in answer
    assert len(qubole.commands) == 1 and qubole.killed == []


@pytest.mark.parametrize("fault", ["cut", deep(404), deep(500), deep(b"<html>"),
                                   deep((429, {"Retry-After": "1"}))])
def test_cancel_that_fails_is_tried_again(driver, qubole, fault):
    qubole.fail_kill(fault, fault)
    assert "; cancelled (kill succeeded." in give_up(driver, qubole)
    assert qubole.killed == [1]


def test_cancel_that_hangs_is_given_up(driver, qubole):
    """The driver ends long before the answer would come."""
    qubole.fail_kill(("slow", 300))
    answer = give_up(driver, qubole, cancel_timeout="300ms")
    assert answer.startswith("RETRY ")
    assert "; not cancelled, so it may still run (no answer; " in answer


@pytest.mark.deep
def test_cancel_that_takes_for_ever_is_told(driver, qubole):
    qubole.dying = NEVER
    answer = give_up(driver, qubole, cancel_timeout="10s")
    assert answer.startswith("RETRY ")
    assert "cancelled, but it goes on (kill succeeded.; it is cancelling" \
        in answer


def test_command_that_ends_before_its_cancel_is_done(driver, qubole):
    def end(command):
        command[1] = 0
    qubole.fail_kill(*[500] * 10_000)
    thread = after_kills(qubole, 1, end)
    assert give_up(driver, qubole) == "OK"
    thread.join()
    assert qubole.killed == [] and len(qubole.commands) == 1
