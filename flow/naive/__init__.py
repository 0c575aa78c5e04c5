"""A macro as one writes it without thought: what the generator is measured against."""
