"""How functions are found, and what a form learns about their arguments."""

from pathlib import Path

import pytest
from pydantic import BaseModel

from app.jobs.kinds.code.arguments import ArgumentField, ArgumentKind, argument_fields
from app.jobs.kinds.code.catalog import JobModuleInvalid, code_job, load_catalog
from tests.fakes import code_functions

FAKES = "tests.fakes.code_functions"


def write_module(folder: Path, name: str, text: str, monkeypatch: pytest.MonkeyPatch) -> str:
    (folder / f"{name}.py").write_text(text)
    monkeypatch.syspath_prepend(str(folder))
    return name


class TestLoadCatalog:
    def test_decorated_functions_are_offered_by_name(self) -> None:
        catalog = load_catalog([FAKES])

        assert catalog["greet"] is code_functions.greet
        assert catalog["greet"].module == FAKES

    def test_a_module_named_twice_is_no_conflict(self) -> None:
        assert load_catalog([FAKES, FAKES]) == load_catalog([FAKES])

    def test_a_missing_module_is_named_with_what_to_do(self) -> None:
        with pytest.raises(JobModuleInvalid, match=r"There is no module “no_such_jobs”.* Check BELFRY_JOBS"):
            load_catalog(["no_such_jobs"])

    def test_what_a_module_misses_itself_is_told(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        name = write_module(tmp_path, "jobs_that_miss", "import no_such_library", monkeypatch)

        with pytest.raises(JobModuleInvalid, match="“jobs_that_miss” cannot be loaded: No module named 'no_such_lib"):
            load_catalog([name])

    def test_a_module_that_breaks_is_told(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        name = write_module(tmp_path, "jobs_that_break", "1 / 0", monkeypatch)

        with pytest.raises(JobModuleInvalid, match="ZeroDivisionError: division by zero"):
            load_catalog([name])

    def test_two_functions_of_one_name_are_refused(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        text = (
            "from pydantic import BaseModel\n"
            "from app.jobs.kinds.code.catalog import code_job\n"
            "@code_job(name='greet', title='', summary='', arguments=BaseModel, is_idempotent=True)\n"
            "def mine(context, arguments): ...\n"
        )
        name = write_module(tmp_path, "jobs_that_clash", text, monkeypatch)

        with pytest.raises(JobModuleInvalid, match=r"two functions named “greet”: in tests.*in jobs_that_clash"):
            load_catalog([FAKES, name])

    @pytest.mark.parametrize("name", ["", "Greet", "1st", "a b", "a" * 65])
    def test_a_name_that_is_hard_to_type_is_refused(self, name: str) -> None:
        with pytest.raises(JobModuleInvalid, match="cannot name a function"):
            code_job(name=name, title="", summary="", arguments=BaseModel, is_idempotent=True)


class TestArgumentFields:
    def test_a_form_learns_everything_about_the_arguments(self) -> None:
        fields = argument_fields(code_functions.greet)

        assert fields == (
            ArgumentField("who", "Name", "Who is greeted.", ArgumentKind.TEXT, required=True, default=None),
            ArgumentField("how_many", "How many", "", ArgumentKind.INTEGER, required=False, default=1),
            ArgumentField("share", "Share", "", ArgumentKind.NUMBER, required=False, default=None),
            ArgumentField("loud", "Loud", "", ArgumentKind.BOOLEAN, required=False, default=False),
            ArgumentField(
                "size", "Size", "", ArgumentKind.CHOICE, required=False, default="small", choices=("small", "large")
            ),
        )

    def test_a_function_without_arguments_has_no_fields(self) -> None:
        assert argument_fields(code_functions.explode) == ()
