"""What ``make bench`` measures: how fast the trainer is against what it replaces, and what a study costs."""
