"""Ollama: its requests, its decoder, its list of models, and how a model is loaded and asked to think.

What other providers need too is one folder up.
"""
