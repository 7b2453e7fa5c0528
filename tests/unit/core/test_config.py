"""Settings: defaults that work, and a start that stops with every mistake named."""

from ipaddress import ip_network
from pathlib import Path

import pytest

from app.core.config import Environment, Settings, read_settings
from app.core.demo import MARK
from app.core.setting_reader import SettingInvalid


def read(folder: Path, **environ: str) -> Settings:
    return read_settings(environ, folder=folder)


class TestSettings:
    def test_need_nothing_to_be_set(self, tmp_path: Path) -> None:
        settings = read(tmp_path)

        assert settings.is_embedded
        assert settings.database_url == f"sqlite:///{tmp_path}/var/belfry.db"
        assert (settings.poll_seconds, settings.workers, settings.auto_migrate) == (10, 5, True)

    def test_poll_less_often_in_production(self, tmp_path: Path) -> None:
        settings = read(tmp_path, BELFRY_ENV="production")

        assert (settings.env, settings.poll_seconds) == (Environment.PRODUCTION, 60)

    def test_come_from_a_file_where_the_environment_is_silent(self, tmp_path: Path) -> None:
        (tmp_path / ".env").write_text("BELFRY_WORKERS=7\nBELFRY_POLL_SECONDS=30\n")

        settings = read(tmp_path, BELFRY_POLL_SECONDS="20")

        assert (settings.workers, settings.poll_seconds) == (7, 20)

    def test_take_private_addresses_as_networks(self, tmp_path: Path) -> None:
        settings = read(tmp_path, BELFRY_ALLOWED_PRIVATE_ADDRESSES="10.1.0.0/16, 192.168.7.4")

        assert settings.allowed_private_addresses == (ip_network("10.1.0.0/16"), ip_network("192.168.7.4/32"))

    def test_take_an_app_at_meta_as_a_whole(self, tmp_path: Path) -> None:
        app = {"BELFRY_META_APP_ID": "1234567890", "BELFRY_META_APP_SECRET": "0123456789abcdef0123456789abcdef"}
        settings = read(tmp_path, **app)

        assert settings.services.meta_app_id == "1234567890"
        assert app["BELFRY_META_APP_SECRET"] not in repr(settings)
        for name in app:
            with pytest.raises(SettingInvalid, match=f"{name} is not set"):
                read(tmp_path, **{**app, name: ""})

    def test_show_no_secret_of_an_app_that_is_none(self, tmp_path: Path) -> None:
        with pytest.raises(SettingInvalid, match="set, but not shown"):
            read(tmp_path, BELFRY_META_APP_ID="1", BELFRY_META_APP_SECRET="too short")

    @pytest.mark.parametrize("url", ["https://10.0.0.7/graph", "http://127.0.0.1:8100/meta", "http://[::1]:8100"])
    def test_take_a_service_at_a_private_address(self, tmp_path: Path, url: str) -> None:
        assert read(tmp_path, BELFRY_META_BASE_URL=f"{url}/").services.meta_base_url == url

    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("BELFRY_ENV", "staging"),
            ("BELFRY_POLL_SECONDS", "often"),
            ("BELFRY_POLL_SECONDS", "0"),
            ("BELFRY_WORKERS", "-1"),
            ("BELFRY_AUTO_MIGRATE", "maybe"),
            ("BELFRY_LISTEN", "8000"),
            ("BELFRY_LISTEN", "127.0.0.1:99999"),
            ("BELFRY_DATABASE_URL", "not a url"),
            ("BELFRY_DATABASE_URL", "sqlite://"),
            ("BELFRY_DATABASE_URL", "sqlite:///:memory:"),
            ("BELFRY_DATABASE_URL", "sqlite:///file::memory:?uri=true"),
            ("BELFRY_BROKER_URL", "sqlite:///:memory:"),
            ("BELFRY_BROKER_URL", "redis://queue/0?bogus=1"),
            ("BELFRY_BROKER_URL", "redis://queue/0?socket_timeout=soon"),
            ("BELFRY_BROKER_URL", "redis://queue/orders"),
            ("BELFRY_BROKER_URL", "rediss://queue/0?ssl_ca_certs=/nowhere/ca.pem"),
            ("BELFRY_WEB_PROCESSES", "abc"),
            ("BELFRY_WEB_PROCESSES", "33"),
            ("BELFRY_PUBLIC_URL", "belfry.example.com"),
            ("BELFRY_DEFAULT_TIMEZONE", "Europe/Berln"),
            ("BELFRY_ALLOWED_PRIVATE_ADDRESSES", "10.0.0.0/99"),
            ("BELFRY_HEARTBEAT_SECONDS", "29"),
            ("BELFRY_META_BASE_URL", "graph.facebook.com"),
            ("BELFRY_META_BASE_URL", "http://graph.facebook.com"),
            ("BELFRY_META_BASE_URL", "http://10.0.0.7:8100"),
            ("BELFRY_META_BASE_URL", "https://graph.facebook.com/?token=1"),
            ("BELFRY_GA4_BASE_URL", "http://analyticsdata.googleapis.com"),
            ("BELFRY_GOOGLE_TOKEN_URL", "http://169.254.169.254/token"),
            ("BELFRY_SHEETS_BASE_URL", "http://sheets.googleapis.com"),
            ("BELFRY_SHOPIFY_BASE_URL_TEMPLATE", "http://{shop}"),
            ("BELFRY_SHOPIFY_BASE_URL_TEMPLATE", "https://acme.myshopify.com"),
            ("BELFRY_SHOPIFY_API_VERSION", "2026-11"),
            ("BELFRY_META_API_VERSION", "latest"),
            ("BELFRY_META_APP_ID", "my app"),
            ("BELFRY_META_API_VERSION", "v26.0/../me"),
        ],
    )
    def test_stop_the_start_and_name_variable_value_and_example(self, tmp_path: Path, name: str, value: str) -> None:
        with pytest.raises(SettingInvalid) as refused:
            read(tmp_path, **{name: value})

        assert f"{name} is {value!r}. Expected " in refused.value.message
        assert f"for example {name}=" in refused.value.message

    def test_count_relative_files_from_the_folder(self, tmp_path: Path) -> None:
        settings = read(tmp_path, BELFRY_DATABASE_URL="sqlite:///data/here.db", BELFRY_DATA_DIR="there")

        assert settings.database_url == f"sqlite:///{tmp_path}/data/here.db"
        assert settings.data_dir == tmp_path / "there"

    def test_say_what_is_wrong_with_a_network(self, tmp_path: Path) -> None:
        with pytest.raises(SettingInvalid, match=r"The network is 10\.0\.0\.0/8"):
            read(tmp_path, BELFRY_ALLOWED_PRIVATE_ADDRESSES="10.0.0.1/8")

    def test_name_all_mistakes_at_once(self, tmp_path: Path) -> None:
        with pytest.raises(SettingInvalid) as refused:
            read(tmp_path, BELFRY_WORKERS="many", BELFRY_POLL_SECONDS="often")

        assert "BELFRY_WORKERS" in refused.value.message
        assert "BELFRY_POLL_SECONDS" in refused.value.message

    def test_never_show_a_secret(self, tmp_path: Path) -> None:
        with pytest.raises(SettingInvalid) as refused:
            read(tmp_path, BELFRY_SECRET_KEY="hunter2")

        assert "hunter2" not in refused.value.message


FAKES = {
    "BELFRY_META_BASE_URL": "http://127.0.0.1:8091/meta",
    "BELFRY_GA4_BASE_URL": "http://127.0.0.1:8091/ga4",
    "BELFRY_GOOGLE_TOKEN_URL": "http://127.0.0.1:8091/google/token",
    "BELFRY_SHEETS_BASE_URL": "http://127.0.0.1:8091/sheets",
    "BELFRY_SHOPIFY_BASE_URL_TEMPLATE": "http://127.0.0.1:8091/shopify/{shop}",
}


class TestADemo:
    def test_reads_from_a_fake_on_this_machine(self, tmp_path: Path) -> None:
        settings = read(tmp_path, BELFRY_DEMO="on", **FAKES)

        assert settings.is_demo
        assert not read(tmp_path).is_demo

    def test_never_reads_from_elsewhere(self, tmp_path: Path) -> None:
        with pytest.raises(SettingInvalid, match="Start it with: make demo"):
            read(tmp_path, BELFRY_DEMO="on")

    def test_is_what_its_directory_is_marked_as(self, tmp_path: Path) -> None:
        folder = tmp_path / "var"
        folder.mkdir()
        (folder / MARK).write_text("{}")

        assert read(tmp_path, **FAKES).is_demo
        with pytest.raises(SettingInvalid, match="set BELFRY_DATA_DIR to another directory"):
            read(tmp_path)
