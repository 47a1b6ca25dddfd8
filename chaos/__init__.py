"""fallbackd breaks: faults, injectors, drills, and the sandbox to try them on."""
