"""What else an array does: binary networks, nearest keys, GF(2) products, ternary layers."""
