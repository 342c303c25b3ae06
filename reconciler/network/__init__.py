"""How another host is reached: by which proxy, trusting whom, and with what beside the token."""
