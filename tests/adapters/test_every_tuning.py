"""What every hosted tuning backend does alike: one suite, against local services that answer as is documented."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from persona_hosts.together_jobs import TogetherTuning
from service import Service
from tuning_backend import chats
from wires.tuning_fireworks import BASE, FireworksService
from wires.tuning_openai import TuningService
from wires.tuning_together import TogetherService

from persona import errors
from persona.adapter import Provider, Secret, Tuning, load
from persona.values.tuning import Training


@dataclass(frozen=True)
class Host:
    """One backend: where its service makes jobs and lists files, and how the service is set up."""

    kind: str
    service: Callable[[], Any]
    model: str
    create: str
    failing: tuple[str, str]
    """The state that is a failure there, and what the run then says."""
    uploads: Callable[[Any], int]
    jobs: Callable[[Any], int]
    options: tuple[tuple[str, str], ...] = ()

    def provider(self, service: Service, key: str = "sk-test") -> Provider:
        url: str = service.url  # type: ignore[attr-defined]
        return Provider("host", self.kind, url, Secret(key), options=dict(self.options))


def _files(service: Any) -> int:
    return len(service.files)


def _jobs(service: Any) -> int:
    return len(service.jobs)


HOSTS = (
    Host(
        *("openai", TuningService, "gpt-4.1-mini", "/v1/fine_tuning/jobs"),
        *(("failed", "it failed"), _files, _jobs),
    ),
    Host(
        *("together", TogetherService, "Qwen/Qwen3.5-9B", "/v1/fine-tunes"),
        *(("error", "ran out of memory"), _files, _jobs),
    ),
    Host(
        *("fireworks", FireworksService, BASE, "/v1/accounts/acme/supervisedFineTuningJobs"),
        ("JOB_STATE_FAILED", "RESOURCE_EXHAUSTED: the job ran out of memory"),
        lambda service: len(service.of("datasets")),
        lambda service: len(service.of("supervisedFineTuningJobs")),
        (("account", "acme"),),
    ),
)


@pytest.fixture(params=HOSTS, ids=[host.kind for host in HOSTS])
def host(request: pytest.FixtureRequest) -> Host:
    found: Host = request.param
    return found


@pytest.fixture
def service(host: Host) -> Iterator[Any]:
    with host.service() as service:
        yield service


@pytest.fixture
def tuning(host: Host, service: Any) -> Tuning:
    return tuning_of(host.provider(service))


@pytest.fixture
def training(host: Host, tmp_path: Path) -> Training:
    files = chats(tmp_path / "train.jsonl"), chats(tmp_path / "validation.jsonl", 2, "validation")
    return Training("job_01AB", host.model, "sft", *files, tmp_path / "job", "support", 7, 2.0)


def tuning_of(provider: Provider) -> Tuning:
    factory = load(provider.kind).tuning
    assert factory is not None
    return factory(provider)


async def test_a_run_goes_through_its_states_to_its_end(service: Any, tuning: Tuning, training: Training) -> None:
    handle = await tuning.start(training)
    seen = [await tuning.follow(handle) for _ in range(4)]
    assert [one.state for one in seen] == ["queued", "queued", "running", "succeeded"]


async def test_a_start_whose_answer_was_lost_is_adopted_with_its_files(
    host: Host, service: Any, tuning: Tuning, training: Training
) -> None:
    service.hang_up("POST", host.create, after=True)
    with pytest.raises(errors.ConnectionFailed):
        await tuning.start(training)
    handle = await tuning.start(training)
    assert (host.jobs(service), host.uploads(service)) == (1, 2)
    assert await tuning.start(replace(training, adopt=True)) == handle


async def test_adopting_begins_nothing(host: Host, service: Any, tuning: Tuning, training: Training) -> None:
    with pytest.raises(errors.NotFound):
        await tuning.start(replace(training, adopt=True))
    assert (host.jobs(service), host.uploads(service)) == (0, 0)


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (401, errors.AuthenticationFailed),
        (403, errors.PermissionDenied),
        (404, errors.ModelNotFound),
        (400, errors.BadRequest),
    ],
)
async def test_a_refused_job_leaves_no_file_and_repeats_no_words(
    status: int, kind: type[Exception], host: Host, service: Any, tuning: Tuning, training: Training
) -> None:
    service.fail("POST", host.create, status, {"error": {"message": "their words", "code": "some_code"}})
    with pytest.raises(kind) as caught:
        await tuning.start(training)
    assert "their words" not in str(caught.value)
    assert "some_code" in str(caught.value)
    assert host.uploads(service) == 0


@pytest.mark.parametrize(
    ("status", "kind"), [(429, errors.RateLimited), (500, errors.ProviderUnavailable), (503, errors.Overloaded)]
)
async def test_what_may_pass_is_retryable_and_keeps_the_files(
    status: int, kind: type[errors.PersonaError], host: Host, service: Any, tuning: Tuning, training: Training
) -> None:
    service.fail("POST", host.create, status, {"error": {"message": "later"}})
    with pytest.raises(kind) as caught:
        await tuning.start(training)
    assert (caught.value.retryable, host.uploads(service)) == (True, 2)
    await tuning.start(training)
    assert (host.jobs(service), host.uploads(service)) == (1, 2)


async def test_a_run_that_fails_after_hours_says_why(
    host: Host, service: Any, tuning: Tuning, training: Training
) -> None:
    state, said = host.failing
    service.states = [service.states[2], state]
    handle = await tuning.start(training)
    await tuning.follow(handle)
    failed = await tuning.follow(handle)
    assert (failed.state, failed.tuned_model) == ("failed", "")
    assert said in failed.problem


async def test_cancelling_ends_a_run_and_is_no_error_when_it_has_ended(
    service: Any, tuning: Tuning, training: Training
) -> None:
    handle = await tuning.start(training)
    await tuning.cancel(handle)
    await tuning.cancel(handle)
    assert (await tuning.follow(handle)).state == "cancelled"


async def test_cleaning_removes_the_files_and_may_be_repeated(
    host: Host, service: Any, tuning: Tuning, training: Training
) -> None:
    handle = await tuning.start(training)
    assert len(await tuning.clean(handle)) == 2
    assert host.uploads(service) == 0
    assert list(await tuning.clean(handle)) == []


@pytest.mark.parametrize(
    ("changes", "kind"),
    [
        ({"options": {"speed": "9"}}, errors.SettingsError),
        ({"options": {"beta": "0.1"}}, errors.InvalidInput),
        ({"options": {"batch_size": "many"}}, errors.InvalidInput),
        ({"epochs": 1.5}, errors.InvalidInput),
    ],
)
async def test_what_cannot_be_is_refused_before_anything_is_sent(
    changes: dict[str, Any], kind: type[Exception], service: Any, tuning: Tuning, training: Training
) -> None:
    with pytest.raises(kind):
        await tuning.start(replace(training, **changes))
    assert service.calls == []


@pytest.mark.parametrize("key", ["two words", "line\nbreak"])
async def test_a_key_that_cannot_be_one_is_never_sent_or_shown(
    key: str, host: Host, service: Any, training: Training
) -> None:
    with pytest.raises(errors.AuthenticationFailed) as caught:
        await tuning_of(host.provider(service, key)).start(training)
    assert key not in str(caught.value)
    assert service.calls == []


async def test_an_answer_that_is_no_json_is_a_bad_reply(host: Host, service: Any, training: Training) -> None:
    if host.kind == "openai":
        pytest.skip("its SDK reads the answers")
    service.first("GET", "/v1/.*", lambda call: ["no", "object"])
    with pytest.raises(errors.BadReply):
        await tuning_of(host.provider(service)).start(training)


async def test_a_server_that_is_not_there_is_a_failed_connection(host: Host, training: Training) -> None:
    with host.service() as gone:
        provider = host.provider(gone)
    with pytest.raises(errors.ConnectionFailed):
        await tuning_of(provider).start(training)


def test_what_was_never_tried_says_so() -> None:
    for kind, model in (("together", "Qwen/Qwen3.5-9B"), ("fireworks", BASE)):
        card = load(kind).tuning_card
        assert card is not None
        known = card(Provider("host", kind), model)
        assert known is not None
        assert "never tried against the service" in known.note
        assert (known.methods, known.training_price) == (("sft", "dpo"), None)
        assert card(Provider("host", kind), "gpt 4") is None


def test_together_takes_no_options_of_the_provider() -> None:
    with pytest.raises(errors.SettingsError):
        TogetherTuning(Provider("host", "together", options={"account": "acme"}))
