"""The datasheet of one macro: what is said of it, and the page."""
