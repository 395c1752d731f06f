import pytest

from services.classifier.settings import ClassifierSettings
from services.ingest.settings import IngestSettings
from services.reporter.settings import ReporterSettings
from services.runtime.settings import SettingsError, read_settings


@pytest.mark.parametrize("kind", [IngestSettings, ClassifierSettings, ReporterSettings])
def test_every_setting_is_described_for_people(kind: type[IngestSettings]) -> None:
    text = kind.describe()
    for name, field in kind.model_fields.items():
        assert field.description
        assert f"HUESTREAM_{name.upper()}" in text


def test_a_wrong_setting_is_named_in_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HUESTREAM_IN_FLIGHT", "-3")
    with pytest.raises(SettingsError, match=r"^HUESTREAM_IN_FLIGHT: Input should be greater than or equal to 1"):
        read_settings(ClassifierSettings)


def test_production_refuses_to_fetch_from_networks_that_are_not_public(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HUESTREAM_ALLOW_NETWORKS", "127.0.0.0/8")
    with pytest.raises(SettingsError, match="HUESTREAM_ALLOW_NETWORKS is for development"):
        read_settings(ClassifierSettings)
    monkeypatch.setenv("HUESTREAM_ENVIRONMENT", "development")
    assert [str(network) for network in read_settings(ClassifierSettings).allow_networks] == ["127.0.0.0/8"]


def test_production_refuses_to_send_a_password_in_the_clear(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HUESTREAM_SMTP_PASSWORD", "secret")
    monkeypatch.setenv("HUESTREAM_SMTP_TLS", "none")
    with pytest.raises(SettingsError, match="would be sent in the clear") as caught:
        read_settings(ReporterSettings)
    assert "secret" not in str(caught.value)
