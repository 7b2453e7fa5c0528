"""Code jobs: what a definition may say, and what is promised about it."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from app.core.config import Settings
from app.jobs.kinds.base import DefinitionInvalid, KindName, OutcomeStatus, StopReason
from app.jobs.kinds.code.catalog import load_catalog
from app.jobs.kinds.code.fork_server import ForkServer
from app.jobs.kinds.code.kind import CodeKind
from app.jobs.kinds.code.supply import GuardSupply
from app.ops.kinds import job_kinds
from tests.conftest import make_settings
from tests.fakes.run_context import FakeRunContext

ROOT = Path(__file__).parents[3]


@pytest.fixture
def kind(settings: Settings, supply: GuardSupply) -> CodeKind:
    return CodeKind(load_catalog(["tests.fakes.code_functions"]), settings, supply)


@pytest.fixture
def own_supply() -> Iterator[GuardSupply]:
    """It starts with the first run, and finds then what its worker finds then."""
    server = GuardSupply(ForkServer(["shop_jobs"]), slots=1)
    yield server
    server.close()


def definition(function: str, **arguments: Any) -> dict[str, Any]:
    return {"function": function, "arguments": arguments}


class TestCheckArguments:
    def test_those_of_one_run_take_the_place_of_its_own_and_come_out_in_their_type(self, kind: CodeKind) -> None:
        checked = kind.check_arguments(definition("greet", who="Ada"), {"how_many": "7"})

        assert checked == {"how_many": 7}

    def test_a_problem_is_told_at_its_field(self, kind: CodeKind) -> None:
        with pytest.raises(DefinitionInvalid) as refused:
            kind.check_arguments(definition("greet", who="Ada"), {"whom": "Grace"})

        assert list(refused.value.problems) == ["arguments.whom"]


class TestCheck:
    def test_the_stored_form_has_every_argument_in_its_type(self, kind: CodeKind) -> None:
        stored = kind.check(definition("greet", who="Ada", how_many="3"))

        arguments = {"who": "Ada", "how_many": 3, "share": None, "loud": False, "size": "small"}
        assert stored == {"function": "greet", "arguments": arguments}

    @pytest.mark.parametrize(
        ("given", "field", "message"),
        [
            ({}, "function", "“function” is missing."),
            ({"function": "x"}, "function", "There is no function “x”. Offered: babble, boast, breed,"),
            ({"function": "greet", "args": {}}, "args", "“args” is not known here. Take it out."),
            (definition("greet"), "arguments.who", "“Name” is missing."),
            (definition("greet", who="A", whom="B"), "arguments.whom", "“whom” is not known here. Take it out."),
            (definition("greet", who="A", how_many=0), "arguments.how_many", "“how many” has to be 1 or more."),
            (definition("greet", who="A", size="huge"), "arguments.size", "“size” has to be 'small' or 'large'."),
            (definition("greet", who="A" * 40_000), "arguments", "The arguments take more than 32,768 bytes."),
        ],
    )
    def test_a_problem_is_told_at_its_field(
        self, kind: CodeKind, given: dict[str, Any], field: str, message: str
    ) -> None:
        with pytest.raises(DefinitionInvalid) as refused:
            kind.check(given)

        assert refused.value.problems[field].startswith(message)


class TestPromises:
    @pytest.mark.parametrize(("function", "may_repeat"), [("greet", True), ("explode", False), ("unknown", False)])
    def test_only_what_is_declared_idempotent_is_repeated(
        self, kind: CodeKind, function: str, may_repeat: bool
    ) -> None:
        assert kind.may_repeat(definition(function)) is may_repeat

    def test_a_job_is_described_by_the_title_of_its_function(self, kind: CodeKind) -> None:
        assert kind.describe(definition("give_up")) == "Give up"

    def test_a_function_that_is_gone_is_said_to_be(self, kind: CodeKind) -> None:
        assert kind.describe(definition("unknown")) == "unknown (not installed any more)"


class TestRun:
    def test_a_function_is_run_in_a_process_of_its_own(self, kind: CodeKind) -> None:
        context = FakeRunContext()

        outcome = kind.run(definition("greet", who="Ada"), context)

        assert outcome.result == {"greeting": "Hello Ada", "key": context.idempotency_key}

    def test_a_function_may_have_limits_of_its_own(self, settings: Settings, supply: GuardSupply) -> None:
        catalog = load_catalog(["tests.fakes.code_functions"])
        hungry = CodeKind({"look_around": replace(catalog["look_around"], memory_mib=3_000)}, settings, supply)

        outcome = hungry.run(definition("look_around"), FakeRunContext())

        # What one process may ask for is twice what all of them may use.
        assert outcome.result["memory_mib"] == 6_000

    def test_arguments_of_the_largest_size_arrive(self, kind: CodeKind) -> None:
        name = "A" * 32_000

        outcome = kind.run(definition("greet", who=name), FakeRunContext())

        assert outcome.result["greeting"] == f"Hello {name}"

    def test_the_example_of_the_manual_works(
        self, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, own_supply: GuardSupply
    ) -> None:
        example = (ROOT / "docs" / "jobs.md").read_text().partition("```python\n")[2].partition("```")[0]
        (tmp_path / "shop_jobs.py").write_text(example)
        monkeypatch.syspath_prepend(str(tmp_path))
        kind = CodeKind(load_catalog(["shop_jobs"]), settings, own_supply)

        # An address that is set aside for tests, and therefore refused before anything is sent.
        outcome = kind.run(definition("ping_shop", shop="192.0.2.1"), FakeRunContext())

        assert outcome.message.startswith("Requests to 192.0.2.1 are refused")
        assert not outcome.may_retry

    def test_a_function_that_is_gone_fails_for_good(self, kind: CodeKind) -> None:
        outcome = kind.run(definition("unknown"), FakeRunContext())

        assert (outcome.status, outcome.may_retry) == (OutcomeStatus.FAILED, False)

    def test_nothing_is_started_after_the_run_was_told_to_stop(self, kind: CodeKind) -> None:
        context = FakeRunContext(stop_with=StopReason.WORKER_STOPPING, stop_when=lambda _lines: True)

        outcome = kind.run(definition("greet", who="Ada"), context)

        assert outcome.status is OutcomeStatus.STOPPED


class TestJobKinds:
    def test_the_functions_of_belfry_and_of_the_operator_are_offered(self, settings: Settings) -> None:
        settings = make_settings(settings.data_dir, BELFRY_JOBS="tests.fakes.code_functions")

        kind = job_kinds(settings)[KindName.CODE]

        assert isinstance(kind, CodeKind)
        assert {"http_check", "clean_up_runs", "self_check", "greet"} <= {found.name for found in kind.functions()}

    def test_every_kind_is_there(self, settings: Settings) -> None:
        assert set(job_kinds(settings)) == set(KindName)
