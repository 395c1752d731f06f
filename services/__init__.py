"""What runs: three services that never import each other, what they share, and the whole on one machine."""
