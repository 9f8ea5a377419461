"""Waiting for a job with a scripted service and a scripted clock (field reports R25, R47)."""

import itertools

import pytest

from mlops_kit.errors import WaitExpired
from mlops_kit.workspace.waiting import Limits, NoAnswer, Outcome, wait


class Service:
    """Answers one scripted state per question; a second of waiting is a second on the clock."""

    def __init__(self, *states, seconds=10.0):
        self.states = list(states)
        self.seconds = seconds
        self.now = 1000.0
        self.said = []

    def ask(self):
        state = self.states.pop(0) if len(self.states) > 1 else self.states[0]
        if isinstance(state, Exception):
            raise state
        return state

    def pause(self, _seconds):
        self.now += self.seconds

    def wait(self, limits=Limits()) -> Outcome:  # noqa: B008  frozen
        return wait("job-1", self.ask, limits, self.said.append, clock=lambda: self.now, pause=self.pause)


@pytest.mark.parametrize("state", ["Completed", "Failed", "Canceled"])
def test_final_state_ends_the_wait(state):
    assert Service("Queued", "Running", state).wait().state == state


def test_queue_and_run_have_separate_clocks():
    outcome = Service("Queued", "Queued", "Queued", "Preparing", "Running", "Finalizing", "Completed").wait()

    assert (outcome.queued, outcome.ran) == (40.0, 20.0)


def test_long_queue_does_not_eat_the_run_limit():
    service = Service(*["Queued"] * 50, "Running", "Completed")

    assert service.wait(Limits(run=60, queue=1000)).state == "Completed"


def test_queue_limit_gives_up_and_says_the_job_goes_on():
    with pytest.raises(WaitExpired, match=r"'job-1' after 60 s queued; it goes on, its last known state is Queued"):
        Service("Queued").wait(Limits(queue=60))


def test_run_limit_gives_up():
    with pytest.raises(WaitExpired, match="after 30 s running"):
        Service("Queued", "Running").wait(Limits(run=30, queue=30))


def test_given_up_wait_has_exit_code_5():
    with pytest.raises(WaitExpired) as given_up:
        Service("Running").wait(Limits(run=30))

    assert given_up.value.exit_code == 5


def test_expired_token_while_polling_never_fails_the_job():
    service = Service("Running", *[NoAnswer("HTTP 401")] * 60, "Running", "Completed")

    assert service.wait().state == "Completed"


def test_no_answer_is_said_once_per_reason():
    service = Service("Running", *[NoAnswer("HTTP 401")] * 5, NoAnswer("no connection"), "Completed")
    service.wait()

    assert [line for line in service.said if line.startswith("no answer")] == [
        "no answer (HTTP 401); asking again, the job is not affected",
        "no answer (no connection); asking again, the job is not affected",
    ]


def test_service_that_stays_silent_ends_the_wait_without_a_verdict():
    with pytest.raises(WaitExpired, match="without an answer from the service; it goes on, its state was never seen"):
        Service(NoAnswer("HTTP 401")).wait(Limits(silence=100))


def test_heartbeat_comes_at_least_every_five_minutes():
    service = Service(*["Running"] * 200, "Completed")
    moments = []
    wait(
        "job-1",
        service.ask,
        Limits(),
        lambda _: moments.append(service.now),
        clock=lambda: service.now,
        pause=service.pause,
    )

    assert len(moments) > 20
    assert max(b - a for a, b in itertools.pairwise(moments)) <= 300


def test_each_new_state_is_said():
    service = Service("Queued", "Running", "Running", "Completed")
    service.wait()

    assert service.said == ["Queued (0 s)", "Running (10 s)", "Completed (30 s)"]


def test_clock_that_jumps_back_takes_nothing_from_the_limits():
    service = Service("Running", "Running", "Completed", seconds=-50)

    assert service.wait(Limits(run=100)).ran == 0.0
