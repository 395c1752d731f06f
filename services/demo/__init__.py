"""The main job shown from start to end: pictures are drawn, submitted, classified and reported by mail."""
