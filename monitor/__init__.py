"""fallbackd watches: probes, decides, records, tells."""
