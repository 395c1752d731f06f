import ssl
from pathlib import Path

import pytest

from services.classifier.settings import ClassifierSettings
from services.ingest.settings import IngestSettings
from services.reporter.settings import ReporterSettings
from services.runtime.cluster import Cluster
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


def test_a_password_may_stand_in_a_file_of_which_the_last_line_end_does_not_count(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "password").write_text("  pass word\n")
    monkeypatch.setenv("HUESTREAM_SMTP_USERNAME", "reporter")
    monkeypatch.setenv("HUESTREAM_SMTP_PASSWORD_FILE", str(tmp_path / "password"))
    password = read_settings(ReporterSettings).smtp_password
    assert password is not None
    assert password.get_secret_value() == "  pass word"


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (None, "No such file or directory"),
        (b"", "is empty"),
        (b"\n", "is empty"),
        (b"\xff\xfe", "it is not UTF-8 text"),
    ],
)
def test_a_secret_that_cannot_be_read_is_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, content: bytes | None, reason: str
) -> None:
    if content is not None:
        (tmp_path / "password").write_bytes(content)
    monkeypatch.setenv("HUESTREAM_KAFKA_PASSWORD_FILE", str(tmp_path / "password"))
    with pytest.raises(SettingsError, match=rf"^HUESTREAM_KAFKA_PASSWORD_FILE: .*{reason}\.$"):
        read_settings(IngestSettings)


def test_a_secret_that_is_given_twice_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "password").write_text("hidden")
    monkeypatch.setenv("HUESTREAM_KAFKA_PASSWORD", "hidden")
    monkeypatch.setenv("HUESTREAM_KAFKA_PASSWORD_FILE", str(tmp_path / "password"))
    with pytest.raises(SettingsError, match="HUESTREAM_KAFKA_PASSWORD_FILE are both set") as caught:
        read_settings(IngestSettings)
    assert "hidden" not in str(caught.value)


SASL = {"SASL_MECHANISM": "PLAIN", "USERNAME": "ingest", "PASSWORD": "hidden"}


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"CA_FILE": "ca.pem"}, "HUESTREAM_KAFKA_CA_FILE is set, but HUESTREAM_KAFKA_TLS is not true."),
        (
            {"TLS": "true", "KEY_FILE": "key.pem"},
            "HUESTREAM_KAFKA_KEY_FILE is set, but HUESTREAM_KAFKA_CERTIFICATE_FILE is not.",
        ),
        ({"USERNAME": "ingest"}, "HUESTREAM_KAFKA_USERNAME is set, but HUESTREAM_KAFKA_SASL_MECHANISM is not."),
        (
            {"SASL_MECHANISM": "SCRAM-SHA-512"},
            "HUESTREAM_KAFKA_SASL_MECHANISM is set, but HUESTREAM_KAFKA_USERNAME is not.",
        ),
        (SASL, "HUESTREAM_KAFKA_PASSWORD would be sent in the clear; set HUESTREAM_KAFKA_TLS to true."),
        ({"TLS": "perhaps"}, "HUESTREAM_KAFKA_TLS: Input should be a valid boolean, unable to interpret input."),
    ],
)
def test_contradictory_settings_of_the_connection_are_one_sentence(
    monkeypatch: pytest.MonkeyPatch, given: dict[str, str], sentence: str
) -> None:
    for name, value in given.items():
        monkeypatch.setenv(f"HUESTREAM_KAFKA_{name}", value)
    with pytest.raises(SettingsError) as caught:
        read_settings(IngestSettings)
    assert str(caught.value) == sentence


@pytest.mark.parametrize("content", [None, "no certificate"])
def test_a_certificate_that_cannot_be_used_is_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, content: str | None
) -> None:
    if content is not None:
        (tmp_path / "ca.pem").write_text(content)
    monkeypatch.setenv("HUESTREAM_KAFKA_TLS", "true")
    monkeypatch.setenv("HUESTREAM_KAFKA_CA_FILE", str(tmp_path / "ca.pem"))
    with pytest.raises(SettingsError, match=r"^HUESTREAM_KAFKA_CA_FILE: .*\.$"):
        _ = read_settings(IngestSettings).cluster


def test_settings_become_what_every_client_of_kafka_is_given(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HUESTREAM_KAFKA_TLS", "true")
    for name, value in SASL.items():
        monkeypatch.setenv(f"HUESTREAM_KAFKA_{name}", value)
    cluster = read_settings(IngestSettings, bootstrap_servers="broker:9094").cluster
    options = dict(cluster.client_options())
    assert isinstance(options.pop("ssl_context"), ssl.SSLContext)
    assert options == {
        "bootstrap_servers": "broker:9094",
        "security_protocol": "SASL_SSL",
        "sasl_mechanism": "PLAIN",
        "sasl_plain_username": "ingest",
        "sasl_plain_password": "hidden",
    }
    assert "hidden" not in repr(cluster)
    assert Cluster("broker:9092").client_options()["security_protocol"] == "PLAINTEXT"


def test_a_silence_longer_than_the_whole_fetch_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HUESTREAM_FETCH_TIMEOUT_SECONDS", "5")
    with pytest.raises(SettingsError, match="HUESTREAM_FETCH_READ_TIMEOUT_SECONDS is longer than"):
        read_settings(ClassifierSettings)


def test_the_mail_password_needs_a_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HUESTREAM_SMTP_PASSWORD", "hidden")
    with pytest.raises(SettingsError, match="HUESTREAM_SMTP_PASSWORD is set, but HUESTREAM_SMTP_USERNAME is not"):
        read_settings(ReporterSettings)


@pytest.mark.parametrize(
    ("environment", "given", "least"),
    [("production", None, 3), ("production", "1", 1), ("development", None, 1), ("development", "3", 3)],
)
def test_production_wants_three_replicas_and_development_what_it_is_told(
    monkeypatch: pytest.MonkeyPatch, environment: str, given: str | None, least: int
) -> None:
    monkeypatch.setenv("HUESTREAM_ENVIRONMENT", environment)
    if given:
        monkeypatch.setenv("HUESTREAM_TOPIC_REPLICAS", given)
    assert read_settings(IngestSettings).least_replicas == least


@pytest.mark.parametrize(
    "folder", ["shop", "s3://", "s3://shop/a/../b", "s3://shop//a", "s3://shop/a?b", "http://shop/a"]
)
def test_what_is_no_bucket_is_refused(monkeypatch: pytest.MonkeyPatch, folder: str) -> None:
    monkeypatch.setenv("HUESTREAM_IMAGE_BUCKETS", f"s3://fine, {folder}")
    with pytest.raises(SettingsError, match=r"^HUESTREAM_IMAGE_BUCKETS: expected s3://, gs:// or az://, a bucket"):
        read_settings(IngestSettings)


@pytest.mark.parametrize("buckets", ["s3://shop", "s3://shop/reports", "s3://shop/reports/of/2026"])
def test_images_are_not_read_from_where_reports_are(monkeypatch: pytest.MonkeyPatch, buckets: str) -> None:
    monkeypatch.setenv("HUESTREAM_REPORT_STORE", "s3://shop/reports")
    monkeypatch.setenv("HUESTREAM_IMAGE_BUCKETS", buckets)
    with pytest.raises(SettingsError, match="HUESTREAM_IMAGE_BUCKETS and HUESTREAM_REPORT_STORE share objects"):
        read_settings(IngestSettings)
    monkeypatch.setenv("HUESTREAM_IMAGE_BUCKETS", "s3://shop/images,gs://shop")
    assert read_settings(IngestSettings).image_buckets == ("s3://shop/images/", "gs://shop/")


def test_an_endpoint_without_a_bucket_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HUESTREAM_IMAGE_BUCKETS_ENDPOINT", "http://store:9000")
    monkeypatch.setenv("HUESTREAM_IMAGE_BUCKETS", "gs://shop")
    with pytest.raises(SettingsError, match=r"HUESTREAM_IMAGE_BUCKETS names no s3:// bucket\.$"):
        read_settings(ClassifierSettings)
