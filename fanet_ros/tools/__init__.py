"""Command lines of the package: train, evaluate, demo, import_weights."""
