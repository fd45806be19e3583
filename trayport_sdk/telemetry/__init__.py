"""What happens to requests: events, and the observers that log, count and trace them."""

from .events import Event, Observer

__all__ = ["Event", "Observer"]
