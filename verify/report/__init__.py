"""The report: what a run found, kept as JSON and shown as a page, as Markdown and in a terminal."""
