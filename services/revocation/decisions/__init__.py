"""What the revocation service decides, pure: `now` comes in, facts and changes go out. Nothing in here does I/O."""
