"""One module for each page, server-rendered and usable without JavaScript."""
