"""Products of a network onto macros: packed, cut, and what each layer costs."""
