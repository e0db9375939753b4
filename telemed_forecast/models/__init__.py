"""What we believe: growth, surges, shares and sizes as probability models (no fitting here)."""
