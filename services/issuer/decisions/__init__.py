"""What the issuer decides: pure functions and values; `now` comes in, states and events go out. Nothing in here does I/O."""
