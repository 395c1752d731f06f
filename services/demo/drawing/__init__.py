"""Product pictures drawn by formula: nothing is copied, and the same picture comes out every time."""
