"""The engine: one producer per answer, any number of readers.

Written with the standard library's threads, so that it runs with and without gevent's patches.
"""
