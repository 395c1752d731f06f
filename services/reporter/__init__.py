"""Results in, one report for every batch: Faust gathers, the store keeps, the mail tells."""
