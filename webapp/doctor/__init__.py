"""Finds out what a proxy in front of a server does to its streams: `freshet doctor`.

The probes talk to the server through the proxy, the findings judge what came back, and the advice names the line to change.
"""
