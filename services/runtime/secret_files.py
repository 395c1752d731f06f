"""Secrets out of files: `HUESTREAM_X_FILE` names a file whose content is the value of `HUESTREAM_X`."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, get_args

from pydantic import SecretStr
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource

SUFFIX: Final = "_FILE"
_MAX_BYTES: Final = 64 * 1024


class SecretFileError(Exception):
    """A secret cannot be had; the message is one sentence that names the variable and never the secret."""


def is_secret(field: FieldInfo) -> bool:
    """Say whether a setting may come out of a file."""
    kinds = [field.annotation, *get_args(field.annotation)]
    return SecretStr in [getattr(kind, "__origin__", kind) for kind in kinds]


class SecretFiles(PydanticBaseSettingsSource):
    """The settings whose files are named in the environment; raises `SecretFileError`."""

    def __init__(self, kind: type[BaseSettings], environment: Mapping[str, str] = os.environ) -> None:
        super().__init__(kind)
        self._environment = environment

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        """Read the file of one setting, where one is named."""
        variable = f"{self.config.get('env_prefix', '')}{field_name}".upper()
        path = self._environment.get(variable + SUFFIX) if is_secret(field) else None
        if path is None:
            return None, field_name, False
        if self._environment.get(variable):
            raise SecretFileError(f"{variable} and {variable}{SUFFIX} are both set; unset one of them.")
        return _content(variable + SUFFIX, Path(path)), field_name, False

    def __call__(self) -> dict[str, Any]:
        """Read all files that are named."""
        found = {name: self.get_field_value(field, name)[0] for name, field in self.settings_cls.model_fields.items()}
        return {name: value for name, value in found.items() if value is not None}


def _content(variable: str, path: Path) -> str:
    try:
        with path.open("rb") as file:
            text = file.read(_MAX_BYTES).decode().rstrip("\r\n")
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "it is not UTF-8 text"
        raise SecretFileError(f"{variable}: {path} cannot be read: {reason}.") from error
    if not text:
        raise SecretFileError(f"{variable}: {path} is empty.")
    return text
