"""What a reproducer holds beside its Verilog and its case: read as text, and copied."""
