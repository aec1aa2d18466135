"""The revocation service's database: its tables, their rows, and its clock."""
