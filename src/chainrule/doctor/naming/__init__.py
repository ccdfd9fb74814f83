"""From what was measured to the name of the mistake."""
