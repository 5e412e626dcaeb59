"""The dashboard: a Streamlit app over the collector's HTTP API."""
