"""Training FANet: data with labels, augmentation, losses, metrics and the loop. The `train` command drives it."""
