"""Code jobs: what a definition may say, and what is promised about it."""

import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import pytest
from pydantic import AfterValidator

from app.core.addresses import parse_networks
from app.core.config import Environment, Settings
from app.jobs.code import Context, job
from app.jobs.kinds.base import ChildCounts, DefinitionInvalid, KindName, Outcome, OutcomeStatus, StopReason
from app.jobs.kinds.code.fork_server import ForkServer
from app.jobs.kinds.code.kind import CodeKind
from app.jobs.kinds.code.loading import CodeProblem, load_modules
from app.jobs.kinds.code.supply import GuardSupply
from app.jobs.kinds.definitions import with_chosen
from app.ops.code_definitions import load_definitions
from app.ops.kinds import job_kinds
from tests.conftest import make_settings
from tests.fakes.run_context import FakeRunContext
from tests.unit.jobs.conftest import WebServer

ROOT = Path(__file__).parents[3]


@pytest.fixture
def kind(settings: Settings, supply: GuardSupply) -> CodeKind:
    return CodeKind(load_modules(["tests.fakes.code_functions"]).functions, settings, supply)


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
            ({"function": "x"}, "function", "There is no function “x”. Offered: babble, begin, boast, breed,"),
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

    def test_what_a_run_remembers_of_its_arguments_is_no_part_of_the_job(self, kind: CodeKind) -> None:
        outcome = kind.run(with_chosen(definition("greet", who="Ada"), {"who": "Bob"}), FakeRunContext())

        assert outcome.result["greeting"] == "Hello Bob"

    def test_a_function_may_have_limits_of_its_own(self, settings: Settings, supply: GuardSupply) -> None:
        catalog = load_modules(["tests.fakes.code_functions"]).functions
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
        kind = CodeKind(load_modules(["shop_jobs"]).functions, settings, own_supply)

        # An address that is set aside for tests, and therefore refused before anything is sent.
        outcome = kind.run(definition("ping_shop", shop="192.0.2.1"), FakeRunContext())

        assert outcome.message.startswith("Requests to 192.0.2.1 are refused")
        assert not outcome.may_retry

    def test_a_function_that_is_gone_fails_for_good(self, kind: CodeKind) -> None:
        outcome = kind.run(definition("unknown"), FakeRunContext())

        assert (outcome.status, outcome.may_retry) == (OutcomeStatus.FAILED, False)

    @pytest.mark.parametrize(
        ("text", "why"),
        [
            (
                '@job("fetch", tries=0)\ndef fetch(): ...\n',
                "“fetch” cannot run: there is a mistake in it. odd_jobs.py:2",
            ),
            ("import no_such_library\n", "A module that may define it was not loaded. odd_jobs.py:2: The module “odd"),
        ],
    )
    def test_a_function_that_code_says_wrongly_fails_with_its_mistake(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, settings: Settings, text: str, why: str
    ) -> None:
        (tmp_path / "odd_jobs.py").write_text(f"from app.jobs.code import *\n{text}")
        monkeypatch.syspath_prepend(str(tmp_path))
        monkeypatch.delitem(sys.modules, "odd_jobs", raising=False)
        kind = job_kinds(replace(settings, job_modules=("odd_jobs",)))[KindName.CODE]

        outcome = kind.run(definition("fetch"), FakeRunContext())

        assert (outcome.status, outcome.may_retry) == (OutcomeStatus.FAILED, False)
        assert why in outcome.message

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


class TestAGroup:
    def test_starts_its_jobs_and_waits(self, kind: CodeKind) -> None:
        context = FakeRunContext()
        context.functions_in_group = 7

        outcome = kind.run({"group": "matching"}, context)

        assert (outcome.status, context.started_groups) == (OutcomeStatus.SUSPENDED, ["matching"])
        assert context.lines == ["Started 7 runs, for each job of the group “matching”."]

    def test_of_nothing_ends_and_says_so(self, kind: CodeKind) -> None:
        context = FakeRunContext()

        outcome = kind.run({"group": None}, context)

        assert (outcome.status, outcome.result) == (OutcomeStatus.SUCCEEDED, {"total": 0})
        assert context.lines == ["Nothing was started: no job is defined in code."]

    def test_waits_on_while_one_goes_on(self, kind: CodeKind) -> None:
        context = FakeRunContext()
        context.child_counts = ChildCounts(2, succeeded=1, failed=0, cancelled=0, running=1)

        assert kind.run({"group": None}, context).status is OutcomeStatus.SUSPENDED
        assert context.started_groups == []

    def test_ends_well_when_all_did(self, kind: CodeKind) -> None:
        context = FakeRunContext()
        context.child_counts = ChildCounts(2, succeeded=2, failed=0, cancelled=0, running=0)

        outcome = kind.run({"group": None}, context)

        assert outcome.status is OutcomeStatus.SUCCEEDED
        assert outcome.result == {"total": 2, "succeeded": 2, "failed": 0, "cancelled": 0, "not_started": 0}

    def test_names_those_that_failed(self, kind: CodeKind) -> None:
        context = FakeRunContext()
        context.child_counts = ChildCounts(8, 6, 1, cancelled=1, running=0, failed_names=("shop_prices",))

        outcome = kind.run({"group": None}, context)

        assert (outcome.status, outcome.may_retry) == (OutcomeStatus.FAILED, False)
        assert outcome.message == "6 of 8 succeeded; 1 cancelled; failed: shop_prices."

    def test_names_those_that_could_not_be_started(self, kind: CodeKind) -> None:
        context = FakeRunContext()
        context.child_counts = ChildCounts(3, 2, 0, cancelled=0, running=0, skipped_names=("shop_prices",))

        outcome = kind.run({"group": None}, context)

        assert (outcome.status, outcome.message) == (
            OutcomeStatus.FAILED,
            "2 of 3 succeeded; not started: shop_prices.",
        )
        assert outcome.result["not_started"] == 1

    def test_knows_which_cannot_be_started(self, settings: Settings, kind: CodeKind) -> None:
        problem = CodeProblem("jobs.py:3", "tries=99 is not possible.", job="odd")
        troubled = CodeKind(kind._catalog, settings, kind._supply, [problem])

        assert "“odd” cannot run: there is a mistake in it. jobs.py:3: tries=99" in str(
            troubled.why_not_startable({"function": "odd", "arguments": {}})
        )
        assert "give “who” a default" in str(troubled.why_not_startable({"function": "greet", "arguments": {}}))
        assert troubled.why_not_startable({"function": "greet", "arguments": {"who": "Ada"}}) is None
        # Another worker may have it.
        assert troubled.why_not_startable({"function": "newer", "arguments": {}}) is None

    def test_takes_no_parameters(self, kind: CodeKind) -> None:
        with pytest.raises(DefinitionInvalid, match="A group takes no parameters"):
            kind.check_arguments({"group": None}, {"days": 3})

    def test_cannot_be_made_by_people(self, kind: CodeKind) -> None:
        with pytest.raises(DefinitionInvalid, match="“function” is missing"):
            kind.check({"group": None})


class TestArgumentsThatCannotBe:
    def test_name_the_function_whose_own_check_goes_wrong(self, settings: Settings, kind: CodeKind) -> None:
        def divide(value: int) -> int:
            return 1 // value

        @job("divide")
        def divided(by: Annotated[int, AfterValidator(divide)] = 1) -> None: ...

        own = CodeKind({"divide": divided}, settings, kind._supply)

        with pytest.raises(DefinitionInvalid, match=r"“divide” \(.*cannot take them: ZeroDivisionError: "):
            own.check({"function": "divide", "arguments": {"by": 0}})

    def test_hold_no_number_that_cannot_be_stored(self, settings: Settings, kind: CodeKind) -> None:
        @job("share")
        def share(of: float = 1.0) -> None: ...

        own = CodeKind({"share": share}, settings, kind._supply)

        with pytest.raises(DefinitionInvalid, match="One of them is no finite number"):
            own.check({"function": "share", "arguments": {"of": float("nan")}})


class TestInTheWorkersThread:
    @pytest.fixture
    def example(self, settings: Settings, supply: GuardSupply) -> CodeKind:
        return CodeKind(load_modules(["app.jobs.examples"]).functions, settings, supply)

    def test_a_function_ends_in_its_own_words(self, example: CodeKind) -> None:
        outcome = example.run(definition("example_quick_test", seconds=0), FakeRunContext())
        failed = example.run(definition("example_quick_test", seconds=0, fails=True), FakeRunContext())

        assert outcome.result == {"seconds": 0.0}
        assert (failed.message, failed.may_retry) == ("It was told to fail.", False)

    def test_a_function_ends_when_its_time_is_over(self, example: CodeKind) -> None:
        outcome = example.run(definition("example_quick_test", seconds=60), FakeRunContext(seconds=0.1))

        assert outcome.status is OutcomeStatus.TIMED_OUT

    def test_a_value_of_the_wrong_type_is_told(self, example: CodeKind) -> None:
        outcome = example.run(definition("example_quick_test", seconds="long"), FakeRunContext())

        assert (outcome.message, outcome.may_retry) == ("“Seconds” has to be a number.", False)

    def test_a_function_has_no_keys_of_the_installation(self, settings: Settings, supply: GuardSupply) -> None:
        @job("peek", isolation="thread")
        def peek(context: Context) -> dict[str, bool]:
            return {"keys": bool(context.settings.secret_key or context.settings.vault_keys)}

        outcome = CodeKind({"peek": peek}, settings, supply).run(definition("peek"), FakeRunContext())

        assert outcome.result == {"keys": False}


class TestTheExamples:
    @pytest.fixture
    def run(self, settings: Settings) -> Iterator[Callable[..., Outcome]]:
        server = GuardSupply(ForkServer(["app.jobs.examples"]), slots=1)
        kind = CodeKind(
            load_modules(["app.jobs.examples"]).functions,
            replace(settings, allowed_private_addresses=parse_networks("127.0.0.1")),
            server,
        )
        yield lambda name, **given: kind.run(definition(name, **given), FakeRunContext())
        server.close()

    def test_match_what_this_machine_has(self, run: Callable[..., Outcome]) -> None:
        assert run("example_match_zones").result["zones"] > 500
        assert run("example_match_packages").result["asked_for"] > 5

    def test_read_a_feed(self, run: Callable[..., Outcome], web: WebServer) -> None:
        web.body = b"<rss><channel><title>No</title><item><title>First</title></item><item/></channel></rss>"

        assert run("example_feed", url=web.url).result == {"entries": 2}

    def test_say_when_it_is_none(self, run: Callable[..., Outcome], web: WebServer) -> None:
        assert run("example_feed", url=web.url).message.startswith("The answer is no feed: syntax error")
        assert run("example_feed").result == {"entries": 0}


class TestTheGuide:
    def test_shows_a_module_that_works(
        self, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, own_supply: GuardSupply
    ) -> None:
        guide = (ROOT / "docs" / "guide" / "code-jobs.md").read_text()
        (tmp_path / "guide_jobs.py").write_text(guide.partition("```python\n")[2].partition("```")[0])
        monkeypatch.syspath_prepend(str(tmp_path))

        found = load_definitions(replace(settings, job_modules=("guide_jobs",), env=Environment.PRODUCTION))

        assert found.problems == ()
        assert f"Loaded {len(found.schedules)} schedule definitions from code" in guide
        assert (
            CodeKind(found.functions, settings, own_supply).run(definition("shop_prices"), FakeRunContext()).status
            is OutcomeStatus.SUCCEEDED
        )
