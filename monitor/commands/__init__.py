"""The sub-commands of ``fallbackd``, one file each; ``register`` hangs them into the command."""
