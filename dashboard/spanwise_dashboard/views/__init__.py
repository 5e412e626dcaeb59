"""The pages. Not named `pages`: Streamlit would take the folder for its older kind of multipage app."""
