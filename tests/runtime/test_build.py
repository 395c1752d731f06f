import pytest
from pydantic import SecretStr

from services.classifier.settings import ClassifierSettings
from services.ingest.settings import IngestSettings
from services.reporter.settings import ReporterSettings
from services.runtime.build import config_hash


def test_what_is_set_up_alike_has_the_same_hash() -> None:
    first = IngestSettings(metrics_port=9101, port=1)
    assert config_hash(first) == config_hash(IngestSettings(metrics_port=9102, port=2))
    assert config_hash(first) != config_hash(IngestSettings(deadline_seconds=7))
    assert len(config_hash(first)) == 12


def reporter(password: str | None) -> ReporterSettings:
    name = "someone" if password else None
    secret = SecretStr(password) if password else None
    return ReporterSettings(mail_from="a@shop.example", smtp_host="mail", smtp_username=name, smtp_password=secret)


def test_of_a_secret_only_is_told_whether_it_is_set() -> None:
    assert config_hash(reporter("one")) == config_hash(reporter("another"))
    assert config_hash(reporter("one")) != config_hash(reporter(None))


@pytest.mark.parametrize("ports", [{80, 443, 8080, 8443}, {8443, 8080, 443, 80}])
def test_the_order_of_a_set_does_not_matter(ports: set[int]) -> None:
    assert config_hash(ClassifierSettings(fetch_ports=frozenset(ports))) == config_hash(
        ClassifierSettings(fetch_ports=frozenset(sorted(ports)))
    )
