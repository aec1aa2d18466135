"""The issuer's database: its tables, their rows, and one transaction over them."""
