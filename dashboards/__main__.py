"""``python -m dashboards`` writes the dashboards anew."""

from dashboards.writing import write

write()
