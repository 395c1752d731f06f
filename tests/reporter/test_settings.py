"""Combinations that are unsafe are refused at the start, in one sentence."""

import pytest

from services.reporter.settings import ReporterSettings
from services.runtime.settings import SettingsError, read_settings


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"SMTP_PASSWORD": "x", "SMTP_TLS": "none"}, "would be sent in the clear"),
        ({"FAILPOINT": "M6"}, "HUESTREAM_FAILPOINT would end the service on purpose"),
        ({"STANDBY_REPLICAS": "1"}, "HUESTREAM_STANDBY_REPLICAS needs HUESTREAM_STATE_STORE=rocksdb://"),
        ({"MAIL_FROM": "a b@x.example"}, "HUESTREAM_MAIL_FROM"),
    ],
)
def test_an_unsafe_combination_is_refused(
    settings: dict[str, str], sentence: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in settings.items():
        monkeypatch.setenv(f"HUESTREAM_{name}", value)
    with pytest.raises(SettingsError) as refused:
        read_settings(ReporterSettings)
    assert sentence in str(refused.value)
    assert "\n" not in str(refused.value)
