"""How many macros, and which, hold so many weights and compute so fast."""
