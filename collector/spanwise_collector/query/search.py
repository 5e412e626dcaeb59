"""Text search in inputs and outputs: from what a person types to a condition on words."""

import re
from dataclasses import dataclass
from typing import Final

_PHRASE: Final = re.compile(r'"([^"]+)"')
LONGEST_QUERY: Final = 500


class SearchError(ValueError):
    """The text cannot be searched for."""


@dataclass(frozen=True, slots=True)
class Search:
    """A parsed search.

    Attributes:
        text: everything that was typed; each word in it must occur. The engine splits it into words as its index does.
        phrases: parts in double quotes, which must occur as they are, whatever their case.
    """

    text: str
    phrases: tuple[str, ...] = ()

    @classmethod
    def parse(cls, typed: str) -> "Search":
        """Read what was typed.

        Raises:
            SearchError: it holds no word, or is too long.
        """
        if len(typed) > LONGEST_QUERY:
            raise SearchError(f"`q` is longer than {LONGEST_QUERY} characters; search for fewer words")
        if not any(character.isalnum() or ord(character) > 127 for character in typed):
            raise SearchError(
                "`q` needs at least one letter or digit: whole words are searched for, punctuation is not"
            )
        return cls(typed, tuple(_PHRASE.findall(typed)))

    def condition(self, columns: tuple[str, ...]) -> str:
        """SQL that holds where one of some columns has all words and phrases; `parameters` has its values."""
        return "(" + " OR ".join(self._in(column) for column in columns) + ")"

    def parameters(self) -> dict[str, object]:
        """Values for the SQL of `condition`."""
        return {"q": self.text, **{f"phrase{number}": phrase for number, phrase in enumerate(self.phrases)}}

    def _in(self, column: str) -> str:
        words = f"hasAllTokens({column}, tokens(lowerUTF8({{q:String}}), 'splitByNonAlpha'))"
        phrases = (
            f"positionCaseInsensitiveUTF8({column}, {{phrase{number}:String}}) > 0"
            for number in range(len(self.phrases))
        )
        return "(" + " AND ".join((words, *phrases)) + ")"
