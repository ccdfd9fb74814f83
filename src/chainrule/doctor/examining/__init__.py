"""What a learner hands in, made examinable: called, moved, measured."""
