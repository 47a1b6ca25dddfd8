"""The status page and the JSON API, on FastAPI; everything they show comes through ``Control``."""
