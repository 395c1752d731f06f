"""From a request's body to the images it names, or the first error in the contract's words. Pure.

The happy path decodes the bytes into the members alone, and holds each member of all images at once against its rule:
a model of each image would cost twice as much. Only what that refuses is looked at again, item by item, for the
sentence that helps.
"""

import gc
import re
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Annotated, Any, Final, Literal

from msgspec import UNSET, DecodeError, Meta, Struct, UnsetType
from msgspec.json import Decoder
from pydantic import BaseModel, ConfigDict, StringConstraints
from pydantic_core import SchemaValidator, ValidationError, core_schema, from_json

from schemas.events import ImageFields
from schemas.fields import (
    FREE_TEXT_PATTERN,
    HEX_COLOR_LABEL_PATTERN,
    MAX_BATCH,
    MAX_CUSTOM_ID,
    MAX_TEXT,
    MAX_URL,
    CustomId,
    HexColorLabel,
)
from services.runtime.buckets import folder_of

# Stricter than the events: a host that is more than a port, and a port that is a number.
_URL_PATTERN: Final = (
    r"^[Hh][Tt][Tt][Pp][Ss]?://"
    r"(?:\[[0-9A-Fa-f:.]+\]|[^\s/?#@:\[\]\\\x00-\x20\x7f]+)(?::[0-9]{0,5})?"
    r"(?:[/?#][^\s\x00-\x20\x7f]*)?$"
)
_ImageUrl = Annotated[str, StringConstraints(max_length=MAX_URL, pattern=_URL_PATTERN)]

_Text = Annotated[str, StringConstraints(max_length=MAX_TEXT, pattern=FREE_TEXT_PATTERN)]


class RequestedImage(ImageFields):
    """One image of a request."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    image_path: _ImageUrl
    product_type: _Text
    hex_color_label: HexColorLabel
    category: _Text
    custom_id: CustomId | None = None


class _Lenient(RequestedImage):
    hex_color_label: HexColorLabel | None = None  # type: ignore[assignment]  # wider than its parent, on purpose
    category: _Text | None = None  # type: ignore[assignment]


class Item(Struct, frozen=True, forbid_unknown_fields=True, gc=False):
    """The members that one image has, in the order of the model; written as JSON without those that it has not."""

    image_path: Annotated[str, Meta(max_length=MAX_URL)]
    product_type: Annotated[str, Meta(max_length=MAX_TEXT)]
    hex_color_label: str | UnsetType = UNSET
    category: Annotated[str, Meta(max_length=MAX_TEXT)] | UnsetType = UNSET
    custom_id: Annotated[str, Meta(max_length=MAX_CUSTOM_ID)] | UnsetType = UNSET


@dataclass(frozen=True)
class _Column:
    """One member of all images, held against its pattern at once: a call for each value would take twice as long."""

    present: Callable[[Sequence[Item]], list[str]]
    lines: SchemaValidator
    is_required: bool

    def is_valid(self, items: Sequence[Item]) -> bool:
        """Say whether the member matches wherever it is, and is wherever it must be."""
        values = self.present(items)
        count = len(values)
        if self.is_required and count < len(items):
            return False
        text = "\n".join([*values, ""])
        return text.count("\n") == count and self.lines.isinstance_python(text)


_PRESENT: Final[Mapping[str, Callable[[Sequence[Item]], list[str]]]] = {
    "image_path": lambda items: [item.image_path for item in items],
    "product_type": lambda items: [item.product_type for item in items],
    "hex_color_label": lambda items: [value for item in items if (value := item.hex_color_label) is not UNSET],
    "category": lambda items: [value for item in items if (value := item.category) is not UNSET],
    "custom_id": lambda items: [value for item in items if (value := item.custom_id) is not UNSET],
}


def _columns(model: type[BaseModel]) -> Sequence[_Column]:
    return [_Column(_PRESENT[name], _lines(_present(rule)), _is_required(rule)) for name, rule in _rules_of(model)]


def _lines(rule: Any) -> SchemaValidator:
    """Compile the pattern of a member into that of lines, each of which matches it."""
    return SchemaValidator(core_schema.str_schema(pattern=rf"\A(?m:(?:(?:{rule['pattern']})\n)*)\z"))


def _tolerant(model: type[BaseModel]) -> SchemaValidator:
    """Compile a model's rules into a check of a whole batch that lets members pass which it does not know."""
    fields = {
        name: core_schema.typed_dict_field(_present(rule), required=_is_required(rule))
        for name, rule in _rules_of(model)
    }
    one = core_schema.typed_dict_schema(fields, extra_behavior="ignore")
    return SchemaValidator(core_schema.list_schema(one, min_length=1, max_length=MAX_BATCH, fail_fast=True))


def _rules_of(model: type[BaseModel]) -> Iterator[tuple[str, Any]]:
    rules: Any = model.__pydantic_core_schema__
    return ((name, field["schema"]) for name, field in rules["schema"]["fields"].items())


def _is_required(rule: Any) -> bool:
    return bool(rule["type"] != "default")


def _present(rule: Any) -> Any:
    """Narrow a rule to values: a null is an absent member, and is looked at item by item."""
    return _present(rule["schema"]) if rule["type"] in {"default", "nullable"} else rule


_ITEMS: Final = Decoder(Annotated[list[Item], Meta(min_length=1, max_length=MAX_BATCH)])
_STRICT: Final = _columns(RequestedImage), _tolerant(RequestedImage)
_LENIENT: Final = _columns(_Lenient), _tolerant(_Lenient)

_URL: Final = re.compile(_URL_PATTERN)
_FREE_TEXT: Final = re.compile(FREE_TEXT_PATTERN)
_HEX: Final = re.compile(HEX_COLOR_LABEL_PATTERN)
_MAX_MARKS: Final = 30 * MAX_BATCH
"""Braces, brackets and colons of a batch whose members are all plain."""
_MAX_COMMAS: Final = 100_000
"""Many more than a batch needs, since they stand in texts as well."""
_MAX_ESCAPES: Final = 20_000
"""Letters that are written as numbers; a body that has more is parsed once, not twice and thrice."""
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_MAX_PARSING: Final = 300_000
"""What parsing may cost, in units of 0.03 to 0.05 us.

A number or a text takes two, an array or an object four, and the name of a member eight.
"""
_STEP: Final = 61  # no length that lines or images have a multiple of
_MANY_DIGITS: Final = re.compile(rb"[0-9]{16,}")
_MAX_DIGITS: Final = 300_000
"""Digits of numbers of a thousand and more, which take longer the longer they are."""
LARGE_BYTES: Final = 64 * 1024
_NO_TEXT: Final = 0
_ABSENT: Final = object()
_OPTIONAL_WHEN_LENIENT: Final = frozenset({"hex_color_label", "category"})


Reason = Literal[
    "not_json",
    "too_complex",
    "not_an_array",
    "empty",
    "too_many_images",
    "not_an_object",
    "image_path",
    "product_type",
    "hex_color_label",
    "category",
    "custom_id",
]
"""What is wrong, for those who count: the body as such, or the member that is missing or invalid."""


@dataclass(frozen=True)
class Violation:
    """One rule that a body breaks; `pointer` is a JSON pointer (RFC 6901) into the body."""

    pointer: str
    sentence: str
    reason: Reason


class InvalidBodyError(Exception):
    """The body is refused; the first violation is the one that the default reply reports."""

    def __init__(self, violations: Sequence[Violation]) -> None:
        super().__init__(violations[0].sentence)
        self.violations = violations


def read_images(body: bytes, *, lenient: bool = False, buckets: Sequence[str] = ()) -> Sequence[Item]:
    """Validate a body and return its images in order; raises `InvalidBodyError`.

    With `buckets`, folders of them, an image may also lie in one of these.
    """
    reading = in_pieces(body, lenient=lenient, buckets=buckets)
    while True:
        try:
            next(reading)
        except StopIteration as done:
            items: Sequence[Item] = done.value
            return items


def in_pieces(body: bytes, *, lenient: bool, buckets: Sequence[str]) -> Generator[None, None, Sequence[Item]]:
    """Do the same, and yield where others may come in between: each piece takes 15 ms at most, of any body."""
    may_be_slow = len(body) > LARGE_BYTES and _may_be_slow(body)
    yield
    if not may_be_slow:
        columns, tolerant = _LENIENT if lenient else _STRICT
        items = _decoded(body, columns)
        if items is None:
            yield
            # Values of members that they do not know are nothing to the rules, not even whether they are JSON.
            if b"NaN" not in body and b"Infinity" not in body:
                items = _validated(body, tolerant)
        if items is not None:
            return items
        yield
    found = _array(body)
    yield
    return _read_one_by_one(found, _rules(buckets), lenient=lenient)


def _may_be_slow(body: bytes) -> bool:
    """Say whether a large body is better parsed once only; raises `InvalidBodyError` where that is slow as well."""
    arrays, objects, names, commas, escapes = map(body.count, b"[{:,\\")
    if 4 * (arrays + objects) + 8 * names + 2 * commas > _MAX_PARSING or _digits_of_long_numbers(body) > _MAX_DIGITS:
        raise _invalid("The request body is not valid JSON: more values than 250 images can have", "too_complex")
    return arrays + objects + names > _MAX_MARKS or commas > _MAX_COMMAS or escapes > _MAX_ESCAPES


def _digits_of_long_numbers(body: bytes) -> int:
    """Estimate them by some of the bytes: to look at all would take as long as parsing."""
    found = _MANY_DIGITS.finditer(body[::_STEP])
    return sum(_STEP * len(some.group()) for some in found if _is_number(body, _STEP * some.start()))


def _is_number(body: bytes, at: int) -> bool:
    """Say whether digits belong to a number: a text has something else before them."""
    return body[max(0, at - _STEP) : at].rstrip(b"0123456789")[-1:] in b",[: \t\r\n-"


def _decoded(body: bytes, columns: Sequence[_Column]) -> Sequence[Item] | None:
    """Take a body of known members that are all as they must be."""
    try:
        items = _ITEMS.decode(body)
    except (DecodeError, UnicodeDecodeError):
        return None
    return items if all(column.is_valid(items) for column in columns) else None


def _validated(body: bytes, rules: SchemaValidator) -> Sequence[Item] | None:
    """Take a body that has members beside those known."""
    try:
        return [Item(**members) for members in rules.validate_json(body)]
    except ValidationError:
        return None


def _array(body: bytes) -> Sequence[object]:
    with _without_collections(len(body)):
        count, items = _counted(_parsed(body))
    if count is None:
        raise _invalid("The request body must be an array of image objects", "not_an_array")
    if not count:
        raise _invalid("The request body must contain at least 1 image", "empty")
    if count > MAX_BATCH:
        rule = f"The request body contains {count} images but the maximum is {MAX_BATCH}"
        raise _invalid(rule, "too_many_images")
    return items


def _parsed(body: bytes) -> object:
    try:
        return from_json(body, allow_inf_nan=False)
    except ValueError as error:
        reason = re.sub(r"[^\x20-\x7e]", "?", str(error))[:120]
        raise _invalid(f"The request body is not valid JSON: {reason}", "not_json") from error


def _counted(document: object) -> tuple[int | None, Sequence[object]]:
    """Count the items of an array, and keep of them what the rules look at; None for anything else."""
    if not isinstance(document, list):
        return None, ()
    return len(document), [_known(item) for item in document[:MAX_BATCH]]


def _known(item: object) -> object:
    """Let go of members that nobody knows, and of values that are no texts: what is left is looked at later."""
    if not isinstance(item, Mapping):
        return None
    return {
        name: value if value is None or isinstance(value, str) else _NO_TEXT
        for name in RequestedImage.model_fields
        if (value := item.get(name, _ABSENT)) is not _ABSENT
    }


@contextmanager
def _without_collections(size: int) -> Iterator[None]:
    """Parse a large body without the garbage collector, which looks at all new containers again and again.

    It makes the parsing of 2 MiB of empty arrays three times as long. What is parsed has no cycles, and is let go of
    before the collector comes again.
    """
    pause = size > LARGE_BYTES and gc.isenabled()
    if pause:
        gc.disable()
    try:
        yield
    finally:
        if pause:
            gc.enable()


def _invalid(rule: str, reason: Reason) -> InvalidBodyError:
    return InvalidBodyError([Violation("", f"Invalid data. {rule}", reason)])


def _read_one_by_one(items: Sequence[object], rules: "_Rules", *, lenient: bool) -> Sequence[Item]:
    violations = [
        violation for index, item in enumerate(items) for violation in _violations(index, item, rules, lenient=lenient)
    ]
    if violations:
        raise InvalidBodyError(violations)
    return [_without_missing(item) for item in items if isinstance(item, Mapping)]


def _without_missing(item: Mapping[str, str | None]) -> Item:
    found = {name: item.get(name) for name in RequestedImage.model_fields}
    present = {
        name: value
        for name, value in found.items()
        if value is not None and (name == "custom_id" or not _is_missing(value))
    }
    return Item(**present)


def _is_missing(value: object) -> bool:
    return value is None or (isinstance(value, str) and not value.strip())


def _violations(index: int, item: object, rules: "_Rules", *, lenient: bool) -> Iterator[Violation]:
    if not isinstance(item, Mapping):
        yield Violation(f"/{index}", f"Invalid data. Index {index} is not an object", "not_an_object")
        return
    for member, (is_valid, expected) in rules.items():
        value = item.get(member)
        if member != "custom_id" and _is_missing(value):
            if lenient and member in _OPTIONAL_WHEN_LENIENT:
                continue
            rule = "is missing"
        elif is_valid(value):
            continue
        else:
            rule = f"is invalid: expected {expected}"
        yield Violation(f"/{index}/{member}", f"Invalid data. Index {index}'s value for {member} {rule}", member)


def is_url(value: object) -> bool:
    """Say whether a value is an absolute http or https URL of a host, without user information."""
    return isinstance(value, str) and len(value) <= MAX_URL and _URL.fullmatch(value) is not None


def _is_hex(value: object) -> bool:
    return isinstance(value, str) and _HEX.fullmatch(value) is not None


def _is_text(value: object) -> bool:
    return (
        isinstance(value, str)
        and len(value) <= 2 * MAX_TEXT
        and len(value.strip()) <= MAX_TEXT
        and _FREE_TEXT.fullmatch(value) is not None
    )


def _is_custom_id(value: object) -> bool:
    return value is None or (isinstance(value, str) and len(value) <= MAX_CUSTOM_ID and not _CONTROL.search(value))


_Rules = Mapping[Reason, tuple[Callable[[object], bool], str]]

# In the order in which the contract reports them.
_RULES: Final[_Rules] = {
    "image_path": (is_url, "an absolute http or https URL"),
    "product_type": (_is_text, f"a string of 1 to {MAX_TEXT} characters"),
    "hex_color_label": (_is_hex, "a hexadecimal color code such as #FF0000"),
    "category": (_is_text, f"a string of 1 to {MAX_TEXT} characters"),
    "custom_id": (_is_custom_id, f"a string of at most {MAX_CUSTOM_ID} characters"),
}


def _rules(buckets: Sequence[str]) -> _Rules:
    """Let images lie in buckets, too, where the operator lets them."""
    if not buckets:
        return _RULES

    def is_path(value: object) -> bool:
        return is_url(value) or (isinstance(value, str) and folder_of(value, buckets) is not None)

    expected = "an absolute http or https URL, or the path of an object in a bucket that images are read from"
    return {**_RULES, "image_path": (is_path, expected)}
