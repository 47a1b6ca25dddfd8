"""Days of watching in seconds: the daemon's own parts on a clock that jumps, over weather that is written down."""
