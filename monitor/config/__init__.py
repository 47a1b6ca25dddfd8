"""What to watch and when to speak: strict, frozen, parsed once at the edge."""
