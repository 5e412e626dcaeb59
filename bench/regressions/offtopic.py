"""Requests of other domains than banking, put together from phrases: what a bank's assistant is not there for."""

from itertools import product
from typing import Final

_DOMAINS: Final[dict[str, tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]]] = {
    "weather": (
        (
            "will it {a} in {b} tomorrow",
            "how likely is it to {a} around {b} this weekend",
            "should I expect it to {a} in {b}?",
        ),
        ("rain", "snow", "be windy", "get above thirty degrees", "freeze overnight", "clear up", "be foggy"),
        ("Oslo", "the mountains", "Lisbon", "the north coast", "Nairobi", "Chicago", "my village"),
    ),
    "cooking": (
        ("how do I cook {a} {b}", "what goes well with {a} {b}?", "recipe for {a} {b} please"),
        ("a leg of lamb", "lentils", "salmon", "aubergines", "a sponge cake", "pancakes", "risotto"),
        (
            "without an oven",
            "for eight people",
            "that children like",
            "in under half an hour",
            "without dairy",
            "on a barbecue",
        ),
    ),
    "travel": (
        ("is {a} worth a visit {b}", "what can one see in {a} {b}?", "find me a room in {a} {b}"),
        ("Kyoto", "the Dolomites", "Marrakesh", "Iceland", "Patagonia", "Crete", "Edinburgh"),
        ("in winter", "with a dog", "on foot", "for a honeymoon", "in three days", "off season"),
    ),
    "music": (
        ("play {a} {b}", "put {a} on {b}", "I want to hear {a} {b}"),
        (
            "some jazz",
            "the new Björk album",
            "my running playlist",
            "a violin concerto",
            "nineties hip hop",
            "something calm",
        ),
        ("in the kitchen", "at half volume", "until I fall asleep", "on shuffle", "one more time", "for the party"),
    ),
    "sport": (
        ("who won {a} {b}?", "when does {a} start {b}", "how many people watched {a} {b}"),
        (
            "the Tour de France",
            "the handball final",
            "last night's match",
            "the marathon",
            "the chess world cup",
            "the derby",
        ),
        ("in 1998", "this year", "on the women's side", "in the end", "after extra time", "local time"),
    ),
    "garden": (
        ("why are my {a} {b}", "what helps when {a} are {b}?", "my {a} are {b}, what now"),
        ("tomatoes", "roses", "hydrangeas", "apple trees", "strawberries", "house plants"),
        (
            "turning yellow",
            "covered in greenfly",
            "not flowering",
            "dropping their leaves",
            "being eaten by snails",
            "mouldy",
        ),
    ),
    "health": (
        ("I have {a} {b}, what should I do", "is {a} {b} dangerous?", "which doctor sees {a} {b}"),
        ("a sore throat", "a rash on my arm", "back pain", "a twisted ankle", "hay fever", "trouble sleeping"),
        ("since Monday", "after running", "with a fever", "every spring", "at night", "during pregnancy"),
    ),
    "code": (
        ("how do I {a} in {b}", "what is the quickest way to {a} with {b}?", "write a function in {b} to {a}"),
        (
            "reverse a linked list",
            "parse a date",
            "read a large file line by line",
            "merge two dictionaries",
            "sort by two keys",
        ),
        ("Rust", "Python", "TypeScript", "Haskell", "Go", "Kotlin"),
    ),
    "school": (
        ("explain {a} {b}", "what is {a}, {b}?", "help me with my homework about {a} {b}"),
        (
            "photosynthesis",
            "the French revolution",
            "Pythagoras' theorem",
            "plate tectonics",
            "the water cycle",
            "irony in Hamlet",
        ),
        ("as if I were ten", "in two sentences", "with an example", "for a poster", "in plain words", "for an exam"),
    ),
    "pets": (
        ("my {a} {b}, is that normal", "what does it mean when a {a} {b}?", "how do I stop my {a} when it {b}"),
        ("cat", "puppy", "rabbit", "parrot", "hamster", "horse"),
        (
            "eats grass",
            "sleeps all day",
            "scratches the sofa",
            "is afraid of thunder",
            "bites my fingers",
            "won't drink",
        ),
    ),
    "films": (
        ("who directed {a} {b}", "is there {a} {b} worth watching?", "recommend {a} {b}"),
        (
            "a western",
            "the film about the octopus",
            "a Korean thriller",
            "an animated film",
            "a silent movie",
            "a courtroom drama",
        ),
        (
            "from the seventies",
            "for a rainy evening",
            "that is not too sad",
            "with subtitles",
            "my parents would like",
            "set in Rome",
        ),
    ),
    "repairs": (
        ("how do I fix {a} {b}", "{a} {b}, whom should I call", "what does it take to repair {a} {b}?"),
        ("a dripping tap", "the boiler", "a flat bicycle tyre", "a squeaking door", "the dishwasher", "a cracked tile"),
        ("myself", "without tools", "before the weekend", "in a rented flat", "that is twenty years old", "for good"),
    ),
    "home": (
        ("turn {a} {b}", "set {a} {b} please", "can you switch {a} {b}?"),
        ("the lights in the hall", "the heating", "the blinds", "the robot vacuum", "the alarm clock", "the oven"),
        ("off at ten", "to low", "on when I come home", "down a little", "to seven in the morning", "off everywhere"),
    ),
    "space": (
        ("how far is {a} {b}", "can you see {a} {b}?", "who discovered {a} {b}"),
        ("Saturn", "the Andromeda galaxy", "the space station", "Halley's comet", "the nearest star", "Europa"),
        ("with binoculars", "from Australia", "in light years", "tonight", "without a telescope", "and when"),
    ),
}


def off_topic() -> list[str]:
    """Every phrase, some 2,000, each a different text."""
    return [
        frame.format(a=a, b=b)
        for frames, firsts, seconds in _DOMAINS.values()
        for frame, a, b in product(frames, firsts, seconds)
    ]
