"""Reads the exports of other chat apps: ChatGPT, Claude, LibreChat and Open WebUI.

Each reader turns one conversation into a `Draft`, and `tree` turns that into our own export file, which
`import_reader` checks like any other. What a file has in it is untrusted: every error names its place.
"""
