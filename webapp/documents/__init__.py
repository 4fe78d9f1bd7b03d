"""Turns files into text. What is kept of a file is its text and the offsets of its pages, not its bytes.

`parse` is the entrance. Small plain text is read at once; everything else by a child process with limits of time and memory
(`process` starts it, `child` runs in it), because the libraries that read PDF, DOCX and HTML meet files made by strangers. `formats`
finds out what a file is, by its content; one module a format reads it.
"""
