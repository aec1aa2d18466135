"""The session log's events: frozen dataclasses, each with an explicit, versioned wire name."""
