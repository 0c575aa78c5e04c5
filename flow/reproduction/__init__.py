"""A job that goes wrong on a macro, as a folder that shows it again alone."""
