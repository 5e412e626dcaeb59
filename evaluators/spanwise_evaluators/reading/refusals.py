"""Answers that are none: the model declines, says that it cannot, or that it does not know.

Only the beginning of an answer counts, and only what the model says of itself: "I can't wait to …", a quotation, or a
character in a story is no refusal. In other languages than English only the usual first words are known.
"""

import re
from typing import Final

HEAD: Final = 300
"""Characters of an answer that are looked at."""

# Patterns know the straight apostrophe only; the curly one is replaced before.
_NOT: Final = r"(?:n't| not)"
_DO: Final = (
    r"(?:help\b(?! but\b)|assist|comply|fulfill?|engage|participate|provide|generate|create|write|produce|support|share"
    r"|discuss|answer|respond|continue|complete|do (?:that|this|so)|offer|advise|reveal|disclose|accommodate"
    r"|give (?:you )?(?:advice|instructions|medical|legal|financial)|be able to (?:help|assist|provide))"
)
_SENSE: Final = (
    r"(?:access|browse|open|see|view|hear|listen|search|read|play|watch|download|connect|run|execute|retrieve|look up"
    r"|perform|predict|remember|recall|track|check|verify|display|show|draw|process (?:images|audio|video)|feel"
    r"|have (?:personal|feelings|opinions))"
)
_CANNOT: Final = (
    r"(?: ca(?:n't|nnot|n not)| won't| will not"
    rf"| could{_NOT}|'d rather not| do{_NOT} feel comfortable"
    r"|(?:'m| am) (?:just |simply |currently |really )?(?:unable to|not (?:able to|going to|allowed to|permitted to"
    r"|programmed to|designed to|equipped to|capable of|comfortable(?: with)?))) (?:really |actually |directly |also )?"
)
_NOT_KNOWN: Final = (
    rf"(?: do{_NOT} (?:currently )?have (?:any |enough |sufficient |that |this |the |specific |detailed |more )*"
    r"(?:information|info|context|details|data|knowledge)"
    rf"|(?: was{_NOT} |'m not |(?:'m| am) un)able to (?:find|locate)| could{_NOT} (?:find|locate)"
    rf"| ca(?:n't|nnot) find| do{_NOT} see any| found no (?:information|results|mention))"
)
_NO_ACCESS: Final = (
    rf"(?: do{_NOT} (?:currently |actually )?have (?:direct |real[- ]time |the )?"
    r"(?:access|ability|capability|capabilities|means)"
    r"|(?:'m| am) (?:just |only |simply )?an? (?:AI\b|language model|text-based AI|virtual AI))"
)
# The literal `I` in front makes the search a scan for that letter, and what follows rules most places out at once.
_FIRST_PERSON: Final = re.compile(
    r"I(?=['\s](?:m\b|am |ca|wo|wi|co|do|d r|was|fo|mu|ha|ne|re|de))"
    rf"(?:(?P<missing_info>{_NOT_KNOWN})|(?P<capability_>{_NO_ACCESS})"
    rf"|{_CANNOT}(?:(?P<capability>{_SENSE})|(?P<policy>{_DO}))"
    r"|(?P<policy_> (?:must|have to|need to|will have to) (?:respectfully )?decline| (?:refuse|decline) to))"
)
_SORRY: Final = (
    r"(?:(?:I'm|I am|we're|we are) (?:so |very |really |truly |terribly )?(?:sorry|afraid)|sorry|(?:my )?apologies"
    r"|I apologi[sz]e|unfortunately)"
)
_SOURCES: Final = (
    r"the (?:provided |given |available |retrieved |above |supplied )*(?:context|documents?|texts?|information"
    r"|passages?|sources?|search results|excerpts?|article|data)(?: you provided| provided| given)? "
)
_OPENING: Final = re.compile(
    rf"(?P<missing_info>(?:{_SORRY}[,.]? (?:but )?)?(?:{_SOURCES}(?:do(?:es)?{_NOT}|did{_NOT}|contains? no|has no"
    r"|have no|is insufficient|is not sufficient)"
    r"|there(?:'s| is| are|) (?:no|not enough|insufficient|isn't (?:any|enough)) "
    r"(?:information|mention|data|details|context)"
    r"|no (?:relevant )?(?:information|results|data) (?:was|were|is|are|could|about|on|found|available)"
    rf"|I do{_NOT} know(?:[.,!]|$| the answer| based| from| that information)))"
    r"|(?P<capability>as an? (?:AI|artificial intelligence|(?:large )?language model)"
    r"(?: (?:language )?model| assistant| system)?,? I\b[^.]{0,60}(?:n't|not|unable)"
    r"|(?:unable|not able) to (?:access|browse|open|read|retrieve|process))"
    rf"|(?P<policy>{_SORRY}[,.]? (?:but )?(?:that's not something|this is(?:n't| not) something|I ca(?:n't|nnot)[.,!]"
    r"|we ca(?:n't|nnot) (?:help|assist|provide)|no[.,!])"
    r"|(?:that|this)(?:'s| is) (?:not )?something I (?:can't |cannot |can |won't |am (?:not )?able to )"
    r"(?:help|assist|do|discuss|provide)"
    r"|(?:this|your|the) (?:request|content|prompt|question) (?:violates|goes against|is against|cannot be|can't be)"
    r"|(?:it (?:would be|is)|it's) (?:against|not appropriate|inappropriate)[^.]{0,40} (?:for me|my|to (?:provide|help"
    r"|assist|share))|request (?:denied|refused)"
    r"|lo siento,? (?:pero )?no (?:puedo|me es posible|estoy)"
    r"|je suis (?:vraiment )?désolée?,? (?:mais )?je ne (?:peux|suis)"
    r"|(?:es )?tut mir leid,? (?:aber )?(?:ich kann|dabei kann|das kann|bei)"
    r"|(?:desculpe|lamento|sinto muito),? (?:mas )?(?:eu )?não (?:posso|consigo)"
    r"|mi dispiace,? (?:ma )?non posso"
    r"|申し訳ありませんが|申し訳ございませんが|很?抱歉[\uff0c,]|对不起[\uff0c,]我(?:不能|无法)|죄송하지만)",
    re.IGNORECASE,
)
_WORDS: Final = (
    frozenset(
        ["i'm", "i\u2019m", "i a", "i d", "we'", "we\u2019", "we ", "sor", "my ", "apo", "unf", "una", "no ", "not"]
    )
    | frozenset(["as ", "the", "thi", "tha", "you", "it ", "it'", "it\u2019", "req", "lo ", "je ", "tut", "es ", "des"])
    | frozenset(["lam", "sin", "mi ", "申し訳", "抱歉\uff0c", "抱歉,", "很抱歉", "对不起", "죄송하"])
)
STARTS: Final = frozenset(start for word in _WORDS for start in (word, word.capitalize(), word.upper()))
"""The first three characters of everything that `_OPENING` matches: one look-up instead of forty tries."""
_TH_STARTS: Final = (
    frozenset(["the pr", "the gi", "the av", "the re", "the ab", "the su", "the co", "the do", "the te", "the in"])
    | frozenset(["the pa", "the so", "the se", "the ex", "the ar", "the da", "the qu", "there ", "there'"])
    | frozenset(["this i", "this's", "this r", "this c", "this p", "this q", "that i", "that's"])
)
"""The first six of those that begin with the most frequent words."""
_QUOTES: Final = frozenset("\"'“\u2018«*>`_")
_NOT_MEANT: Final = re.compile(r"(?i)\b(?:if|when|because|that|why|says?|said|what|unless) $")


def refusal(text: str) -> str:
    """Which sort of refusal an answer begins with: `policy`, `capability`, `missing_info`; "" for an answer.

    Args:
        text: of the answer; only its first `HEAD` characters count. One that does not begin with any of `STARTS` and
            has no capital `I` among these is none.
    """
    head = text[:HEAD]
    if "\u2019" in head:
        head = head.replace("\u2019", "'")
    if head[:3] in STARTS and (head[:2].lower() != "th" or head[:6].lower() in _TH_STARTS):
        opening = _OPENING.match(head)
        if opening is not None:
            return _sub(opening)
    if "I" in head and (
        # One of these is in every match. Eight scans of 300 characters take a tenth of the pattern's time.
        "n't" in head
        or "not" in head
        or "unable" in head
        or "found no" in head
        or "decline" in head
        or "refuse" in head
        or " AI" in head
        or " model" in head
    ):
        for found in _FIRST_PERSON.finditer(head):
            if _is_said_by_the_model(head, found.start()):
                return _sub(found)
    return ""


def _sub(found: re.Match[str]) -> str:
    """The finer class; two groups may stand for one."""
    return (found.lastgroup or "").rstrip("_")


def _is_said_by_the_model(head: str, at: int) -> bool:
    """Whether a sentence about "I" is the model's: not in quotation marks, not in a condition, not inside a word."""
    before = head[:at]
    last = before[-1:]
    if last.isalnum() or last in _QUOTES or before.rstrip()[-1:] in _QUOTES:
        return False
    is_quoted = before.count("“") > before.count("”") or before.count('"') % 2 == 1
    return not is_quoted and _NOT_MEANT.search(before[-12:]) is None
