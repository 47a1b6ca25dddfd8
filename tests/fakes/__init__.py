"""Stand-ins that tests of several areas share."""
