"""A mail server for one's own machine: it keeps every mail as a file and shows them on a page, and sends none."""
