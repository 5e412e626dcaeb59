"""The language of texts."""

from hypothesis import given
from hypothesis import strategies as st

from spanwise_evaluators.reading.languages import detect


def test_languages() -> None:
    """Each text is judged by itself; lines and capitals make no difference."""
    told = {
        "Where is my parcel? It should have been here on Monday.": "en",
        "WHERE IS MY PARCEL?\nIt should have been here\non Monday.": "en",
        "Wie kann ich meine Karte sperren?": "de",
        "¿Dónde está mi tarjeta de crédito?": "es",
        "Bonjour, je voudrais annuler ma commande": "fr",
        "我想取消我的订单": "zh",
        "注文をキャンセルしたいです": "ja",
        "Хочу отменить мой заказ": "ru",
    }

    assert list(told.values()) == detect(list(told))


def test_plain_english_needs_no_model() -> None:
    """Words that English alone has decide, also where the model is wrong; some of them in another text do not."""
    told = {
        "how do you decide what your exchange rates are?": "en",  # the model says Italian
        "what do you base your exchange rates on?": "en",  # and Estonian
        "Der Titel lautet „You and the Night“, und ich hätte gern gewusst, ob er auf der bestellten Platte ist.": "de",
        "Ik wil graag weten wat de status is van mijn bestelling, zoals ik vorige week al gevraagd heb.": "nl",
        "Jeg vil gerne vide, hvornår min pakke kommer, og hvem jeg skal have fat i.": "da",
    }

    assert list(told.values()) == detect(list(told))


def test_too_short_to_say() -> None:
    """A word, a number or nothing is in no language."""
    assert [""] * 6 == detect(["", "ok", "4711", "?!?!?!?!?!?!?!?!", " \n ", "\ud83d"])


@given(st.lists(st.text(max_size=80), max_size=5))
def test_any_text(texts: list[str]) -> None:
    """There is one answer per text, a short code or nothing."""
    found = detect(texts)

    assert len(texts) == len(found)
    assert all(len(code) <= 3 for code in found)
