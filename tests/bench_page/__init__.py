"""The benchmark of the page: what Markdown costs its main thread while it comes."""
