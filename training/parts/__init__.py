"""How the part network was made: a teacher's landmarks, part labels, synthetic photos, a small network."""
