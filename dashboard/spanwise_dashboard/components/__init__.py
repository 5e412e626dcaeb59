"""Parts of pages that Streamlit has no element for: vanilla JavaScript without a build step, one file each.

Everything that users or models wrote goes through these, because they put it into the page as text and nothing else;
Streamlit's own elements read Markdown.
"""
