"""The engine: runs, each with one producer that calls a provider and any number of readers.

Nothing here knows HTTP, a provider or a database. It uses the standard library's threads, so it runs with and without gevent.
"""
