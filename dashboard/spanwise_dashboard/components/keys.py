"""Keys that lead into a text field, which Streamlit's own shortcuts cannot do; Escape leads out again."""

from collections.abc import Mapping

from spanwise_dashboard.components.mount import mount


def field_keys(fields: Mapping[str, str], *, key: str) -> None:
    """Listens for keys while nothing is being typed.

    Args:
        fields: each key, one lower-case letter, with the Streamlit key of the text area that it leads into.
        key: identity on the page.
    """
    mount("keys", {"fields": dict(fields)}, key=key)
