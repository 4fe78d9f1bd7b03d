"""The engine: runs, each with one producer, which calls a provider, and any number of readers.

The engine is independent of HTTP, of the providers and of the database. It uses the standard library's threads, so it
works with and without gevent.
"""
