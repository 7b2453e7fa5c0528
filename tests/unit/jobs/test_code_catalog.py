"""How jobs and schedules are found in code, what is wrong with them, and what a form learns of their parameters."""

import re
import sys
from collections.abc import Callable, Iterator
from datetime import date
from enum import Enum
from pathlib import Path
from typing import Any, Literal

import pytest

from app.core.config import EXAMPLE_JOBS, Settings
from app.jobs.code import Context, job
from app.jobs.kinds.code.arguments import ArgumentField, ArgumentKind, argument_fields, entered_value, shown_value
from app.jobs.kinds.code.catalog import CodeFunction, JobModuleInvalid, find_function
from app.jobs.kinds.code.declared_facts import Isolation
from app.jobs.kinds.code.loading import Loaded, load_modules
from app.jobs.kinds.code.places import LONGEST_PLACE, place_in
from app.ops.code_definitions import Definitions, load_definitions
from tests.conftest import make_settings
from tests.fakes import code_functions

FAKES = "tests.fakes.code_functions"
Write = Callable[..., str]


class Weekday(Enum):
    MONDAY = 1
    TUESDAY = 2


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Write]:
    """Writes a module of jobs, with a name that no other test has. It is forgotten afterwards, with what it planted."""
    monkeypatch.syspath_prepend(str(tmp_path))
    made: list[str] = []

    def write_one(text: str, *, name: str = "", first: str = "") -> str:
        name = name or f"{tmp_path.name.replace('-', '_')}_{len(made)}"
        made.append(name)
        path = tmp_path.joinpath(*name.split(".")).with_suffix(".py")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"{first}from app.jobs.code import *\n{text}")
        return name

    yield write_one
    # Hypothesis looks at all modules that are loaded, and some of these bite.
    for name in (*made, "evil_thing"):
        sys.modules.pop(name, None)


@pytest.fixture
def define(write: Write, tmp_path: Path) -> Callable[..., Definitions]:
    """What an installation with this module defines."""

    def load(text: str, **environment: str) -> Definitions:
        return load_definitions(make_settings(tmp_path, BELFRY_JOBS=write(text), **environment))

    return load


def problems_of(found: Loaded | Definitions) -> list[str]:
    """Without the names of modules, which differ from test to test."""
    return [f"{each.source.rpartition('.py')[2]}: {each.text}" for each in found.problems]


class TestLoading:
    def test_offers_decorated_functions_by_name(self):
        found = load_modules([FAKES])

        assert found.functions["greet"] is code_functions.greet
        assert found.functions["greet"].module == FAKES
        assert found.is_complete

    def test_knows_a_module_that_is_named_twice_once(self):
        assert load_modules([FAKES, FAKES]) == load_modules([FAKES])

    def test_says_where_each_stands(self, write: Write):
        name = write('\n@job("fetch")\ndef fetch(): ...\nschedule("nightly", "@daily", run="fetch")\n')

        found = load_modules([name])

        assert (found.functions["fetch"].source, found.schedules[0].source) == (f"{name}.py:3", f"{name}.py:5")

    def test_takes_a_package_for_all_that_lies_below_it(self, write: Write, tmp_path: Path):
        package = f"{tmp_path.name.replace('-', '_')}_shop"
        write("", name=f"{package}.__init__")
        write('@job("fetch")\ndef fetch(): ...\n', name=f"{package}.feeds.rss")
        write("", name=f"{package}.feeds.__init__")
        write("1 / 0", name=f"{package}._scratch")

        found = load_modules([package])

        assert (list(found.functions), found.problems) == (["fetch"], ())
        assert found.functions["fetch"].source == f"{package}/feeds/rss.py:2"

    def test_takes_a_function_that_two_modules_have_for_one(self, write: Write):
        name = write(f"from {FAKES} import greet\n")

        assert load_modules([FAKES, name]).problems == ()


class TestAModuleThatCannotBeLoaded:
    def test_is_named_when_it_is_missing_with_what_to_do(self):
        found = load_modules(["no_such_jobs", FAKES])

        assert str(found.problems[0]) == (
            "no_such_jobs: There is no module “no_such_jobs”. "
            "Check BELFRY_JOBS, and that the module lies on PYTHONPATH or is installed."
        )
        assert (found.is_complete, "greet" in found.functions) == (False, True)

    @pytest.mark.parametrize(
        ("text", "problem"),
        [
            ("\nimport no_such_library\n", ":3: The module “{}” cannot be loaded: No module named 'no_such_library'."),
            (
                "import sys\nsys.exit(2)\n",
                ":3: The module “{}” cannot be loaded: SystemExit: 2. Mend it, then restart.",
            ),
            ("\n\n1 / 0\n", ":4: The module “{}” cannot be loaded: ZeroDivisionError: division by zero."),
            ("def broken(:\n", ":2: The module “{}” cannot be loaded: SyntaxError: invalid syntax"),
            (
                'job("x", grup="y")\n',
                ":2: The module “{}” cannot be loaded: TypeError: job() got an unexpected",
            ),
            ("raise KeyboardInterrupt\n", ":2: The module “{}” cannot be loaded: KeyboardInterrupt. Mend it"),
            ("raise type('Odd', (BaseException,), {})('x')\n", ":2: The module “{}” cannot be loaded: Odd: x. Mend it"),
            (
                "class Mute(Exception):\n    def __str__(self): 1 / 0\nraise Mute\n",
                ":4: The module “{}” cannot be loaded: Mute: it cannot say why, because of ZeroDivisionError. Mend it",
            ),
            ("import sys\nsys.modules[__name__] = 5\n", "{}: The module “{}” cannot be loaded: it put 5 in its own"),
            ("__belfry_jobs__ = 5\n", "{}: The module “{}” cannot be loaded: it uses the name __belfry_jobs__, which"),
            ("__name__ = 5\n1 / 0\n", ":3: The module “{}” cannot be loaded: ZeroDivisionError: division by zero."),
        ],
    )
    def test_is_named_with_the_line_that_failed(self, write: Write, text: str, problem: str):
        name = write(text)

        found = load_modules([name])

        assert problems_of(found)[0].startswith(problem.format(name, name))
        assert not found.is_complete


# An object whose class raises at every touch, as proxies and half-made mocks do.
EVIL = """
def refuse(*given, **named):
    raise RuntimeError("hands off")
class Evil(metaclass=type("EvilMeta", (type,), {"__repr__": refuse, "__instancecheck__": refuse})):
    for name in ("__eq__", "__hash__", "__bool__", "__repr__", "__str__", "__iter__", "__len__", "__getattribute__"):
        locals()[name] = refuse
    __class__ = property(refuse)
evil = Evil()
"""
WELL = '@job("well")\ndef well(): ...\nschedule("daily", "@daily", run="well")\n'


class TestAnObjectThatRaisesAtEveryTouch:
    @pytest.mark.parametrize(
        "text",
        [
            "",
            "def __getattr__(name): refuse()\n",
            "import sys\nsys.modules['evil_thing'] = evil\n",
        ],
    )
    def test_in_a_module_costs_nothing(self, define, text: str):
        found = define(f"{EVIL}{text}{WELL}")

        assert (found.problems, found.is_complete) == ((), True)
        assert ("well" in found.functions, [one.id for one in found.schedules]) == (True, ["daily"])

    @pytest.mark.parametrize(
        ("text", "problem"),
        [
            ("job(evil)(lambda: None)", "something of the type Evil cannot name a job."),
            ("job('odd', title=evil)(lambda: None)", "title=something of the type Evil is not possible. Use a text."),
            ("job('odd', timeout=evil)(lambda: None)", "timeout=something of the type Evil is not possible. Use 1 to"),
            ("job('odd', not_on=evil)(lambda: None)", "not_on=something of the type Evil is not possible. Use a list"),
            ("job('odd', not_on=[evil])(lambda: None)", "not_on=something of the type Evil is not possible. Use 'netw"),
            ("job('odd', isolation=evil)(lambda: None)", "isolation=something of the type Evil is not possible."),
            (
                "job('odd', idempotent=evil)(lambda: None)",
                "idempotent=something of the type Evil is not possible. Use T",
            ),
            ("job('odd')(evil)", "@job stands above something of the type Evil, which is no function."),
            ("job('odd')(lambda *, x=evil: None)", "Its parameter “x” has no type."),
            (
                "def f(x: object = evil): ...\njob('odd')(f)",
                "Its parameters cannot be read: RuntimeError: hands off. Give them plain types.",
            ),
            ("def f(): ...\nf.__signature__ = evil\njob('odd')(f)", "Its parameters cannot be read: "),
            ("def f(x: 'exit()'): ...\njob('odd')(f)", "Its parameters cannot be read: SystemExit: None. Give them"),
            ("schedule(evil, '@daily', run='well')", "something of the type Evil cannot name a schedule."),
            ("schedule('odd', evil, run='well')", "cron=something of the type Evil is not possible. Use a text."),
            ("schedule('odd', '@daily', run=evil)", "run=something of the type Evil is not possible. Use the name of"),
            ("schedule('odd', '@daily', run=group(evil))", "group(something of the type Evil) is not possible."),
            ("schedule('odd', '@daily', run='well', tags=evil)", "tags=something of the type Evil is not possible."),
        ],
    )
    def test_in_a_definition_costs_that_one_alone(self, define, text: str, problem: str):
        found = define(f"{EVIL}{text}\n{WELL}")

        assert len(found.problems) == 1
        assert problem in found.problems[0].text
        assert re.search(r"\.py:\d+$", found.problems[0].source)
        assert ("well" in found.functions, [one.id for one in found.schedules]) == (True, ["daily"])


class TestAMistake:
    @pytest.mark.parametrize(
        ("given", "problem"),
        [
            ('"Fetch"', "'Fetch' cannot name a job. Use small letters"),
            ('"fetch", group="My Group"', "'My Group' cannot name a group. Use small letters"),
            ('"fetch", timeout=0', "timeout=0 is not possible. Use 1 to 86400 seconds."),
            ('"fetch", timeout="1h"', "timeout='1h' is not possible. Use 1 to 86400 seconds."),
            ('"fetch", tries=99', "tries=99 is not possible. Use 1 to 20."),
            ('"fetch", queue=["slow"]', "queue=['slow'] is not possible. Use the name of a queue."),
            ('"fetch", memory_mib="1 GB"', "memory_mib='1 GB' is not possible. Use a whole number from 1"),
            ('"fetch", processes=0', "processes=0 is not possible. Use a whole number from 1"),
            ('"fetch", isolation="cloud"', "isolation='cloud' is not possible. Use 'process' or 'thread'."),
            ('"fetch", isolation=[]', "isolation=[] is not possible. Use 'process' or 'thread'."),
            ('"fetch", timeout="10"', "timeout='10' is not possible. Use 1 to 86400 seconds."),
            ('"fetch", timeout=float("nan")', "timeout=nan is not possible. Use 1 to 86400 seconds."),
            ('"fetch", timeout=float("inf")', "timeout=inf is not possible. Use 1 to 86400 seconds."),
            ('"fetch", timeout=90.0', "timeout=90.0 is not possible. Use 1 to 86400 seconds."),
            ('"fetch", timeout=True', "timeout=True is not possible. Use 1 to 86400 seconds."),
            ('"fetch", idempotent="no"', "idempotent='no' is not possible. Use True or False."),
            ('"fetch", idempotent=1', "idempotent=1 is not possible. Use True or False."),
            ('"fetch", platform_only=None', "platform_only=None is not possible. Use True or False."),
            ('"fetch", title=5', "title=5 is not possible. Use a text."),
            ('"fetch", not_on="job"', "not_on='job' is not possible. Use a list, such as ['rejected', 'job']."),
            ('"fetch", memory_mib=10**12', "memory_mib=1000000000000 is not possible. Use a whole number from 1 to"),
            ("5", "5 cannot name a job. Use small letters"),
        ],
    )
    def test_of_a_job_costs_that_job_alone(self, write: Write, given: str, problem: str):
        name = write(f'@job({given})\ndef fetch(): ...\n@job("other")\ndef other(): ...\n')

        found = load_modules([name])

        assert problems_of(found)[0].startswith(f":2: {problem}")
        assert (list(found.functions), found.is_complete) == (["other"], True)

    @pytest.mark.parametrize(
        ("parameters", "problem"),
        [
            ("days", "Its parameter “days” has no type. Write it as “days: str”."),
            ("*days: int", "Its parameter “days” cannot be given by name. Write it as “days: str”."),
            (
                "share: float = float('nan')",
                "The default of its parameter “share” is nan. Use a finite number, or None.",
            ),
            ("days: int = 'many'", "The default of its parameter “days” does not fit: Input should be a valid integer"),
            ("days: Nothing", "The types of its parameters cannot be read: name 'Nothing' is not defined."),
            ("days: Context | ValueError", "Its parameters cannot be shown as a form: "),
        ],
    )
    def test_of_a_parameter_is_told(self, write: Write, parameters: str, problem: str):
        name = write(f'@job("fetch")\ndef fetch({parameters}): ...\n', first="from __future__ import annotations\n")

        found = load_modules([name])

        assert problems_of(found)[0].startswith(f":3: {problem}")

    @pytest.mark.parametrize("text", ["async def fetch(): ...", "def fetch():\n    yield 1"])
    def test_is_a_function_that_would_do_nothing(self, write: Write, text: str):
        found = load_modules([write(f'@job("fetch")\n{text}\n')])

        assert problems_of(found) == [
            ":2: It is no plain function: “async” and “yield” do nothing here. Write it as a def that returns."
        ]

    def test_is_no_word_of_a_class_of_its_own(self, write: Write):
        text = "from enum import IntEnum, StrEnum\nclass W(StrEnum):\n    LOW = 'low'\nclass N(IntEnum):\n    FEW = 2\n"
        name = write(f'{text}@job("fetch", priority=W.LOW, tries=N.FEW, timeout=N.FEW)\ndef fetch(): ...\n')

        found = load_modules([name]).functions["fetch"]

        assert (found.policies.priority.word, found.policies.retry.tries, found.timeout_seconds) == ("low", 2, 2)
        assert {type(found.policies.retry.tries), type(found.timeout_seconds)} == {int}

    def test_is_a_name_that_two_functions_have(self, write: Write):
        name = write(f'import {FAKES}\n@job("greet")\ndef mine(): ...\n')

        found = load_modules([FAKES, name])

        assert problems_of(found) == [
            f":3: There is a job “greet” already, at {code_functions.greet.source}. Rename one."
        ]
        assert found.functions["greet"] is code_functions.greet

    @pytest.mark.parametrize(
        ("given", "problem"),
        [
            ('"Nightly", "@daily", run="fetch"', "'Nightly' cannot name a schedule. Use small letters"),
            ('["nightly"], "@daily", run="fetch"', "['nightly'] cannot name a schedule. Use small letters"),
            ('["nightly"], "@daily", run=group("feed")', "['nightly'] cannot name a schedule. Use small letters"),
            ('"nightly", "@daily", run="fetch", description=None', "description=None is not possible. Use a text."),
            ('"nightly", "@daily", run="fetch", environments=[[]]', "environments=[[]] is not possible. Use a list of"),
            ('"nightly", "@daily", run="fetch", environments=5', "environments=5 is not possible. Use a list of texts"),
            (
                '"nightly", "@daily", run="fetch", environments="development"',
                "environments='development' is not possible. Use a list of texts, such as ['production'].",
            ),
            ('"nightly", "@daily", run="fetch", tags="slow"', "tags='slow' is not possible. Use a list of texts"),
            ('"nightly", "@daily", run="fetch", tags=iter(int, 1)', "tags=<callable_iterator object at"),
            ('"nightly", 5, run="fetch"', "cron=5 is not possible. Use a text."),
            ('"nightly", "@daily", None, run="fetch"', "zone=None is not possible. Use a text."),
            ('"nightly", "@daily", run=group(None)', "group(None) is not possible. Use the name of a group, or ALL_JO"),
            ('"nightly", "@daily", run=None', "run=None is not possible. Use the name of a job, group('name') or ALL"),
            ('"nightly", "@daily", run="fetch", missed=None', "missed=None is not possible. Use a text."),
            ('"nightly", "@daily", run="fetch", missed_limit=True', "missed_limit=True is not possible. Use a whole"),
            ('"nightly", "@daily", run="fetch", missed_max_age=float("nan")', "missed_max_age=nan is not possible."),
            ('"nightly", "61 * * * *", run="fetch"', "Minute 61 does not exist. Use 0 to 59."),
            ('"nightly", "@daily", "Mars/Base", run="fetch"', "There is no time zone 'Mars/Base'."),
            ('"nightly", "@daily", run="fitch"', "There is no job “fitch” for it to run. Jobs here: fetch, open."),
            ('"nightly", "@daily", run=group("fed")', "No job is of the group “fed”. Groups here: feed."),
            ('"nightly", "@daily", run="open"', "It would start “open” ("),
            ('"nightly", "@daily", run="fetch", missed="maybe"', "missed='maybe' is not possible. Use one of 'latest'"),
            ('"nightly", "@daily", run="fetch", overlap="fight"', "overlap='fight' is not possible. Use one of 'skip'"),
            (
                '"nightly", "@daily", run="fetch", environments=["staging"]',
                "environments='staging' is not possible. There are 'development' and 'production'",
            ),
        ],
    )
    def test_of_a_schedule_costs_that_schedule_alone(self, define, given: str, problem: str):
        jobs = '@job("fetch", group="feed")\ndef fetch(): ...\n@job("open")\ndef open(day: str): ...\n'

        found = define(f'{jobs}schedule({given})\nschedule("other", "@daily", run="fetch")\n')

        text = problems_of(found)[0]
        assert text.startswith(":6: Schedule “")
        assert problem in text
        assert [one.id for one in found.schedules] == ["other"]

    def test_is_none_where_all_are_started_and_one_only_by_people(self, define):
        text = '@job("open")\ndef open(day: str): ...\nschedule("nightly", "@daily", run=ALL_JOBS)\n'

        found = define(text)

        assert (problems_of(found), [one.id for one in found.schedules]) == ([], ["nightly"])

    @pytest.mark.parametrize("thing", ["int", "partial(print)"])
    def test_of_a_job_that_is_no_function_costs_that_job_alone(self, define, thing: str):
        text = f'from functools import partial\njob("odd")({thing})\n@job("fine")\ndef fine(): ...\n'

        found = define(text)

        assert "which is no function. Put it above a def." in problems_of(found)[0]
        assert "fine" in found.functions

    def test_is_an_id_that_two_schedules_have(self, define):
        found = define('@job("f")\ndef f(): ...\n' + 'schedule("nightly", "@daily", run="f")\n' * 2)

        assert problems_of(found)[0].startswith(":5: There is a schedule “nightly” already, at ")
        assert len(found.schedules) == 1

    def test_is_no_id_that_two_schedules_have_which_never_meet(self, define):
        text = """
@job("f", group="feed")
def f(): ...
schedule("nightly", "0 3 * * *", run=ALL_JOBS, environments=["production"])
schedule("nightly", "0 2 * * *", run=group("feed"), environments=["development"])
"""
        here, there = define(text), define(text, BELFRY_ENV="production")

        assert (here.problems, there.problems) == ((), ())
        assert [[one.cron for one in each.schedules] for each in (here, there)] == [["0 2 * * *"], ["0 3 * * *"]]
        assert [[one.code_name for one in each.jobs] for each in (here, there)] == [["f", "group:feed"], ["f", "*"]]

    def test_in_a_schedule_for_development_says_nothing_in_production(self, define):
        text = '@job("f", group="feed")\ndef f(): ...\nschedule("quick", "61 * * * *", run=ALL_JOBS, environments={})\n'
        text = text.replace("{}", '["development"]')

        here, there = define(text), define(text, BELFRY_ENV="production")

        assert (len(here.problems), here.troubled_schedules) == (1, {"quick"})
        assert (there.problems, [one.code_name for one in there.jobs]) == ((), ["f"])

    def test_in_a_schedule_for_production_is_named_before_it_gets_there(self, define):
        found = define('@job("f")\ndef f(): ...\nschedule("q", "61 * * * *", run="f", environments=["production"])\n')

        assert problems_of(found) == [":4: Schedule “q”: Minute 61 does not exist. Use 0 to 59."]
        assert found.troubled_schedules == frozenset()

    def test_in_the_environments_keeps_the_schedule_everywhere(self, define):
        text = '@job("f")\ndef f(): ...\nschedule("q", "@daily", run="f", environments=["prodution"])\n'

        here, there = define(text), define(text, BELFRY_ENV="production")

        assert (here.troubled_schedules, there.troubled_schedules) == ({"q"}, {"q"})

    def test_is_a_group_for_a_job_that_cannot_start_by_itself(self, define):
        found = define('@job("fetch", group="feed")\ndef fetch(day: str): ...\n')

        assert problems_of(found) == [
            ":2: Job “fetch” is of the group “feed”, which starts it by itself: give “day” a default."
        ]

    def test_is_the_name_of_a_function_of_belfry(self, define):
        found = define('@job("http_check")\ndef check(): ...\n')

        assert "There is a job “http_check” already, at app/jobs/kinds/code/http_check.py:" in problems_of(found)[0]
        assert found.functions["http_check"].module == "app.jobs.kinds.code.http_check"


def test_a_place_is_never_longer_than_its_column():
    place = place_in("deep." * 100 + "jobs", "jobs.py", 7)

    assert len(place) == LONGEST_PLACE
    assert place.endswith("deep/jobs.py:7")


class TestSignatures:
    def test_a_function_may_take_nothing(self):
        @job("nothing")
        def nothing() -> None:
            """Does nothing."""

        assert argument_fields(nothing) == ()
        assert (nothing.title, nothing.summary) == ("Nothing", "Does nothing.")

    def test_a_decorated_function_is_called_as_before(self):
        @job("double")
        def double(*, number: int = 2) -> dict[str, int]:
            return {"number": number * 2}

        assert double(number=4) == {"number": 8}

    def test_it_gets_its_context_and_its_parameters_by_name(self):
        @job("mix")
        def mix(word: str, context: Context, *, loud: bool = False) -> dict[str, Any]:
            return {"word": word, "context": context, "loud": loud}

        arguments = mix.arguments.model_validate({"word": "a"})

        assert mix.invoke("the context", arguments) == {"word": "a", "context": "the context", "loud": False}
        assert [(one.name, one.required) for one in argument_fields(mix)] == [("word", True), ("loud", False)]

    def test_a_form_learns_everything_about_the_arguments(self):
        fields = argument_fields(code_functions.greet)

        assert fields == (
            ArgumentField("who", "Name", "Who is greeted.", ArgumentKind.TEXT, required=True, default=None),
            ArgumentField("how_many", "How many", "", ArgumentKind.INTEGER, required=False, default=1),
            ArgumentField("share", "Share", "", ArgumentKind.NUMBER, required=False, default=None),
            ArgumentField("loud", "Loud", "", ArgumentKind.BOOLEAN, required=False, default=False),
            ArgumentField(
                "size",
                "Size",
                "",
                ArgumentKind.CHOICE,
                required=False,
                default="small",
                choices=("small", "large"),
                options=("small", "large"),
            ),
        )

    @pytest.mark.parametrize(
        ("annotation", "default", "opened", "typed", "meant"),
        [
            (Literal[7, 30], 7, 7, "30", 30),
            (Literal["7", 30], "7", "7", "7", "7"),
            (Weekday | None, None, None, "1", 1),
            (Weekday, Weekday.MONDAY, 1, "8", "8"),
            (list[int], [1, 2], "[1, 2]", "[3]", [3]),
            (dict[str, str], {"a": "ā"}, '{"a": "ā"}', '{"b": "c"}', {"b": "c"}),
            (list[int] | None, None, None, "[", "["),
            (date, date(2027, 1, 5), "2027-01-05", "2027-02-01", "2027-02-01"),
            (str, "[]", "[]", "[1]", "[1]"),
            (str | None, None, None, "[1]", "[1]"),
            (set[int], {1}, "[1]", "[2]", [2]),
        ],
    )
    def test_what_is_typed_is_what_the_parameter_takes(
        self, annotation: Any, default: Any, opened: Any, typed: str, meant: Any
    ):
        def typical(one=default) -> None: ...

        typical.__annotations__["one"] = annotation
        (field,) = argument_fields(job("typical")(typical))

        assert field.default == opened
        assert entered_value(field, typed) == meant
        assert opened is None or entered_value(field, str(opened)) == entered_value(field, str(shown_value(opened)))

    def test_a_process_finds_its_function_by_name(self):
        assert find_function(FAKES, "greet") is code_functions.greet
        with pytest.raises(JobModuleInvalid, match="has no job “unknown” any more"):
            find_function(FAKES, "unknown")


class TestTheExamples:
    def test_are_four_in_development_and_three_in_production(self, settings: Settings):
        here = load_definitions(settings)
        production = {"BELFRY_ENV": "production"}
        there = load_definitions(make_settings(settings.data_dir, **production))

        assert here.problems == ()
        assert {one.id for one in here.schedules} == {
            "daily-full-sync", "hourly-matching", "feed-refresh", "dev-quick-test",
        }  # fmt: skip
        assert {one.id for one in here.schedules} - {one.id for one in there.schedules} == {"dev-quick-test"}

    def test_can_be_left_out(self, tmp_path: Path):
        assert make_settings(tmp_path).job_modules == EXAMPLE_JOBS
        assert make_settings(tmp_path, BELFRY_JOBS="none").job_modules == ()

    def test_are_the_same_on_every_machine(self, settings: Settings):
        assert load_definitions(settings).digest == load_definitions(settings).digest


class TestIsolation:
    def test_is_a_process_unless_said(self):
        functions = load_modules(EXAMPLE_JOBS).functions

        assert functions["example_quick_test"].isolation is Isolation.THREAD
        assert isinstance(functions["example_feed"], CodeFunction)
        assert functions["example_feed"].isolation is Isolation.PROCESS
