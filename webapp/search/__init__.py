"""`search/`: Pure logic of searching documents: text to passages, text to words, rankings to one ranking.

The tables and queries are in `store/`; files become text in `documents/`.
"""
