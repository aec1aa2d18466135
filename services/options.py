"""Turns a frozen dataclass of settings into command-line options, RESCIND_ variables and a table for the docs.

A field annotated with a `Setting` is `--its-name` and `RESCIND_ITS_NAME`; a tuple is repeated on the command line and
separated by commas in the variable. The command line wins over the variable, the variable over the default.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, NoReturn, get_type_hints

from services.runtime import BadSetting

PREFIX = "RESCIND_"
TESTS = "RESCIND_TEST_"
"""Variables of the test suite; a server that a test starts may inherit them."""


@dataclass(frozen=True, slots=True)
class Setting:
    """What a field's annotation says. `read` turns one text into a value, or raises ValueError with `must be …`."""

    words: str
    unit: str = ""
    read: Callable[[str], object] = str
    choices: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Option:
    """One setting by its field's name."""

    name: str
    default: object
    about: Setting

    @property
    def many(self) -> bool:
        """Whether it may be given more than once."""
        return isinstance(self.default, tuple)

    @property
    def flag(self) -> str:
        """Its name on the command line."""
        return "--" + self.name.replace("_", "-")

    @property
    def variable(self) -> str:
        """Its name in the environment."""
        return PREFIX + self.name.upper()

    @property
    def default_words(self) -> str:
        """The default as a person writes it."""
        return "none" if self.default in ("", None, ()) else str(self.default)

    @property
    def values(self) -> str:
        """Its unit, or what it can be."""
        return self.about.unit or ", ".join(self.about.choices) or "text"


def options(kind: type[Any]) -> tuple[Option, ...]:
    """The options of a settings dataclass, in its order."""
    hints = get_type_hints(kind, include_extras=True)
    return tuple(Option(made.name, made.default, hints[made.name].__metadata__[0]) for made in fields(kind))


def help_text(option: Option) -> str:
    """One entry of --help."""
    return f"{option.about.words} ({option.values}; default {option.default_words}; {option.variable})".replace("%", "%%")


def table(known: Sequence[Option]) -> str:
    """The table of docs/operations.md."""
    rows = [f"| `{option.flag}` | {option.default_words} | {option.values} | {option.about.words} |" for option in known]
    return "\n".join(["| option | default | unit or values | what it does |", "|---|---|---|---|", *rows])


def read_all(known: Sequence[Option], argv: Sequence[str], environ: Mapping[str, str]) -> dict[str, object]:
    """The values that were given, by field name; BadSetting for what is unknown or malformed."""
    return {**_from_environ(known, environ), **_from_argv(known, argv)}


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        msg = f"{message}. See --help."
        raise BadSetting(msg)


def parser(known: Sequence[Option], **about: Any) -> argparse.ArgumentParser:
    """An argparse parser that raises BadSetting instead of printing its usage."""
    made = _Parser(allow_abbrev=False, argument_default=argparse.SUPPRESS, **about)
    for option in known:
        made.add_argument(
            option.flag,
            dest=option.name,
            help=help_text(option),
            metavar=option.name.rsplit("_", 1)[-1].upper(),
            action="append" if option.many else "store",
        )
    return made


def _from_argv(known: Sequence[Option], argv: Sequence[str]) -> dict[str, object]:
    given = vars(parser(known).parse_args(argv))
    return {option.name: _value(option, option.flag, _texts(given[option.name])) for option in known if option.name in given}


def _from_environ(known: Sequence[Option], environ: Mapping[str, str]) -> dict[str, object]:
    ours = {name for name in environ if name.startswith(PREFIX) and not name.startswith(TESTS)}
    unknown = sorted(ours - {option.variable for option in known})
    if unknown:
        msg = f"Unknown variable {', '.join(unknown)}. Correct its name, or remove it; --help names all."
        raise BadSetting(msg)

    def texts(option: Option) -> Sequence[str]:
        text = environ[option.variable]
        return [part.strip() for part in text.split(",") if part.strip()] if option.many else [text]

    return {option.name: _value(option, option.variable, texts(option)) for option in known if option.variable in ours}


def _texts(given: str | list[str]) -> Sequence[str]:
    return [given] if isinstance(given, str) else given


def _value(option: Option, source: str, texts: Sequence[str]) -> object:
    values = tuple(_read(option, source, text) for text in texts)
    return values if option.many else values[0]


def _read(option: Option, source: str, text: str) -> object:
    if option.about.choices and text not in option.about.choices:
        msg = f"{source} must be one of {', '.join(option.about.choices)}."
        raise BadSetting(msg)
    try:
        return option.about.read(text)
    except ValueError as error:
        msg = f"{source} {error}."
        raise BadSetting(msg) from error
