"""The lists of models: fetched with bounds, read in the forms that are seen, and kept for ten minutes.

Which of the listed models is used is decided in `webapp/catalog/`; Ollama's own form of a listing is in `ollama/`.
"""
